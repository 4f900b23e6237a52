/** What only keeps a page current begins when the page stands: until then everything works for its first frames alone. */

/** After the beginning of the page, in milliseconds: by then most pages show what they were opened for. */
const STANDS_MILLIS = 450;

/** Begins at once when the page has stood long enough. The returned function ends what began, or sees that it never does. */
export function whenStanding(begin: () => (() => void) | undefined): () => void {
  let end: (() => void) | undefined;
  const wait = STANDS_MILLIS - performance.now();
  if (wait <= 0) {
    end = begin();
    return () => end?.();
  }
  const timer = setTimeout(() => {
    end = begin();
  }, wait);
  return () => {
    clearTimeout(timer);
    end?.();
  };
}
