/** One place on the x axis, pointed at in one chart and shown in all that share it. */

export class Crosshair {
  /** In data values; null when nothing is pointed at. */
  x = $state<number | null>(null);
  /** The chart that is pointed at: only it shows a tooltip. */
  owner = $state<symbol | null>(null);

  point(owner: symbol, x: number): void {
    this.owner = owner;
    this.x = x;
  }

  leave(owner: symbol): void {
    if (this.owner !== owner) return;
    this.owner = null;
    this.x = null;
  }
}
