/** Two pictures of one size, pixel by pixel. Pure. */

export interface Difference {
  /** The largest difference of a channel, 0 to 255. */
  most: number;
  /** Over all pixels and the three colours. */
  mean: number;
  /** Share of the pixels that differ at all, 0 to 1. */
  share: number;
}

/**
 * Absolute differences of RGBA pixels, written into `out` as an opaque picture. Where only the opacity differs, that
 * difference counts for each colour. Works on a stretch of pixels, so that large pictures leave time for the page.
 */
export class Differ {
  #most = 0;
  #sum = 0;
  #differing = 0;
  #pixels = 0;

  take(
    one: Uint8ClampedArray,
    other: Uint8ClampedArray,
    out: Uint8ClampedArray,
    from: number,
    to: number,
  ): void {
    for (let at = from * 4; at < to * 4; at += 4) {
      const opacity = Math.abs((one[at + 3] ?? 0) - (other[at + 3] ?? 0));
      let largest = 0;
      for (let channel = at; channel < at + 3; channel += 1) {
        const found = Math.max(opacity, Math.abs((one[channel] ?? 0) - (other[channel] ?? 0)));
        out[channel] = found;
        this.#sum += found;
        if (found > largest) largest = found;
      }
      out[at + 3] = 255;
      if (largest > 0) this.#differing += 1;
      if (largest > this.#most) this.#most = largest;
    }
    this.#pixels += to - from;
  }

  get found(): Difference {
    const pixels = Math.max(1, this.#pixels);
    return { most: this.#most, mean: this.#sum / (pixels * 3), share: this.#differing / pixels };
  }
}

/** Makes faint differences visible: the largest one becomes white. */
export function stretch(out: Uint8ClampedArray, most: number): void {
  if (most === 0 || most === 255) return;
  const factor = 255 / most;
  for (let at = 0; at < out.length; at += 4) {
    for (let channel = at; channel < at + 3; channel += 1) out[channel] = (out[channel] ?? 0) * factor;
  }
}
