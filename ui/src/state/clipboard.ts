/** Puts text and pictures on the clipboard; text also where the browser's own way is missing (some web views, plain http). */

export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
  }
}

/** Puts a picture on the clipboard; fails where the browser has no way to (some web views, plain http). */
export async function copyPicture(picture: Promise<Blob>): Promise<void> {
  // Given as a promise: a browser that asks first must be asked while the click is fresh.
  await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
}

function copyBySelection(text: string): void {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  // Inside an open dialog nothing outside of it can be selected.
  const home = document.querySelector("dialog[open]") ?? document.body;
  const before = document.activeElement as HTMLElement | null;
  home.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus();
  if (!done) throw new Error("the clipboard cannot be written");
}
