/** A chart as a picture to hand on: on its ground, with its name and how it is looked at, in the theme that is shown. */

const HEAD_PX = 34;
const MARGIN_PX = 12;

interface Caption {
  name: string;
  facts: string;
}

/** Null when there is nothing drawn. */
export async function chartPicture(chart: Element, { name, facts }: Caption): Promise<Blob | null> {
  const layers = [...chart.querySelectorAll("canvas")];
  const [first] = layers;
  if (!first || first.width === 0) return null;
  const ratio = first.width / Math.max(1, first.clientWidth);
  const picture = document.createElement("canvas");
  picture.width = first.width;
  picture.height = first.height + Math.round(HEAD_PX * ratio);
  const ctx = picture.getContext("2d");
  if (!ctx) return null;
  const style = getComputedStyle(chart);
  const token = (word: string) => style.getPropertyValue(word).trim();
  ctx.fillStyle = token("--panel");
  ctx.fillRect(0, 0, picture.width, picture.height);
  for (const layer of layers) ctx.drawImage(layer, 0, picture.height - first.height);
  ctx.scale(ratio, ratio);
  ctx.textBaseline = "middle";
  const font = token("--font") || "sans-serif";
  ctx.font = `600 13px ${font}`;
  ctx.fillStyle = token("--text");
  ctx.fillText(name, MARGIN_PX, HEAD_PX / 2);
  const left = MARGIN_PX + ctx.measureText(name).width + MARGIN_PX;
  ctx.font = `12px ${font}`;
  ctx.fillStyle = token("--faint");
  ctx.fillText(facts, left, HEAD_PX / 2);
  return new Promise((done) => picture.toBlob(done, "image/png"));
}
