/** Runes everywhere; the editor and the checker read this too. */
export default {
  compilerOptions: { runes: true },
};
