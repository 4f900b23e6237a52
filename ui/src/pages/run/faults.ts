/** What went wrong, as a sentence for people. */
import { ApiError } from "../../api/client";

export function sentenceOfError(error: unknown, noAnswer: string): string {
  if (error instanceof ApiError) return error.code === "NO_ANSWER" ? noAnswer : error.detail;
  return error instanceof Error ? error.message : String(error);
}
