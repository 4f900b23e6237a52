/** Patterns with `*`: linear in the text whatever the pattern, as anyone may write one into an address. */

/** Matches from the left and goes back to the last star only, so that no pattern can take long. */
function fits<Part>(
  pattern: readonly Part[],
  text: readonly Part[],
  isStar: (part: Part) => boolean,
  same: (pattern: Part, text: Part) => boolean,
): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let p = 0;
  while (at < text.length) {
    const part = pattern[p] as Part;
    if (p < pattern.length && isStar(part)) {
      star = p;
      resume = at;
      p += 1;
    } else if (p < pattern.length && same(part, text[at] as Part)) {
      p += 1;
      at += 1;
    } else if (star >= 0) {
      p = star + 1;
      resume += 1;
      at = resume;
    } else return false;
  }
  while (p < pattern.length && isStar(pattern[p] as Part)) p += 1;
  return p === pattern.length;
}

const letters = (pattern: string, text: string): boolean =>
  fits(
    [...pattern],
    [...text],
    (part) => part === "*",
    (a, b) => a === b,
  );

export const isGlob = (text: string): boolean => text.includes("*");

/** `*` stands for any letters. */
export const wildcard =
  (pattern: string) =>
  (text: string): boolean =>
    letters(pattern, text);

/** `*` stays within one folder, `**` goes through any number of them: `cv/**` is `cv` and all below it. */
export function pathGlob(pattern: string): (path: string) => boolean {
  const folders = pattern.split("/").filter(Boolean);
  if (folders.some((folder) => folder !== "**" && folder.includes("**"))) return wildcard(pattern);
  return (path) => fits(folders, path.split("/").filter(Boolean), (folder) => folder === "**", letters);
}
