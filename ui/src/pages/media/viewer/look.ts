/** How closely and where pictures are looked at; one look for all of them, so that zoom and place stay. Pure. */

export interface Size {
  width: number;
  height: number;
}

export interface Box extends Size {
  left: number;
  top: number;
}

export interface Look {
  /** Screen pixels for each pixel of the picture; null: as large as fits. */
  scale: number | null;
  /** The place of the picture that lies in the middle, as shares of its sides. */
  x: number;
  y: number;
}

export const FIT: Look = { scale: null, x: 0.5, y: 0.5 };

const LARGEST = 64;

export const fitScale = (picture: Size, stage: Size): number =>
  Math.min(stage.width / picture.width, stage.height / picture.height);

const within = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));

/** Where the picture lies on the stage. */
export function boxOf({ scale, x, y }: Look, picture: Size, stage: Size): Box {
  const factor = scale ?? fitScale(picture, stage);
  const [width, height] = [picture.width * factor, picture.height * factor];
  const [at_x, at_y] = scale === null ? [0.5, 0.5] : [x, y];
  return { left: stage.width / 2 - at_x * width, top: stage.height / 2 - at_y * height, width, height };
}

/** Nearer or farther by a factor; what lies at a point of the stage stays there. */
export function zoomAt(
  look: Look,
  picture: Size,
  stage: Size,
  factor: number,
  at: { x: number; y: number },
): Look {
  const fit = fitScale(picture, stage);
  const box = boxOf(look, picture, stage);
  const before = box.width / picture.width;
  const scale = within(before * factor, Math.min(fit, 1) / 4, Math.max(LARGEST, fit * 4));
  const share = { x: (at.x - box.left) / box.width, y: (at.y - box.top) / box.height };
  return {
    scale,
    x: within(share.x - (at.x - stage.width / 2) / (picture.width * scale), 0, 1),
    y: within(share.y - (at.y - stage.height / 2) / (picture.height * scale), 0, 1),
  };
}

/** One pixel of the picture on one of the screen, the middle where it was. */
export function fullSize(look: Look): Look {
  return look.scale === null ? { scale: 1, x: 0.5, y: 0.5 } : { ...look, scale: 1 };
}

/** The picture moved over the stage; one that fits stays where it is. */
export function panBy(look: Look, picture: Size, by: { x: number; y: number }): Look {
  if (look.scale === null) return look;
  return {
    scale: look.scale,
    x: within(look.x - by.x / (picture.width * look.scale), 0, 1),
    y: within(look.y - by.y / (picture.height * look.scale), 0, 1),
  };
}

/** A turn of the wheel as a factor; lines and pages are counted as pixels, a pinch moves faster. */
export function wheelFactor(delta: number, mode: number, pinch: boolean): number {
  const px = delta * (mode === 0 ? 1 : mode === 1 ? 16 : 240);
  return Math.exp(-within(px, -400, 400) * (pinch ? 0.01 : 0.0015));
}

/** For the address; null when everything fits. */
export function lookMember({ scale, x, y }: Look): string | null {
  return scale === null ? null : [scale.toPrecision(5), x.toFixed(6), y.toFixed(6)].map(Number).join(",");
}

export function readLook(text: string): Look {
  const [scale, x, y] = text.split(",").map(Number);
  if (!scale || !Number.isFinite(scale) || scale < 0 || scale > 4096) return FIT;
  const share = (value: number | undefined) =>
    value !== undefined && Number.isFinite(value) ? within(value, 0, 1) : 0.5;
  return { scale, x: share(x), y: share(y) };
}
