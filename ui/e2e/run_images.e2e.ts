/** Pictures of a run in a browser, as large as the window: zoom and place stay, two are set against each other. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { append, eventLine, imageLine, png } from "./run_root";
import { writeRun } from "./viewer";
import { SharedViewer } from "./visit";

const ONE = "20260401_000000_0e0000";
const TWO = "20260402_000000_0e0001";

/** 64 pixels wide, so that 100 % is far from what fits. */
const SIDE = 64;

function record(root: string, id: string, alias: string, red: number): void {
  const dir = writeRun(root, { id, path: "img", alias, status: "finished" });
  mkdirSync(join(dir, "media"), { recursive: true });
  append(dir, "events.jsonl", eventLine(1, { loss: 1 }));
  const log = (step: number, key: string, bytes: Buffer) => {
    const file = `media/${key}_${step}.png`;
    writeFileSync(join(dir, file), bytes);
    append(dir, "events.jsonl", imageLine(step, key, file, `${alias} ${key} ${step}`));
  };
  for (const step of [10, 20, 30]) log(step, "samples", png(red, step * 2, 0, SIDE));
  log(10, "same", png(9, 9, 9, SIDE));
  log(20, "same", png(9, 9, 9, SIDE));
  log(10, "sizes", png(9, 9, 9, SIDE));
  log(20, "sizes", png(9, 9, 9, 32));
}

const shared = new SharedViewer((root) => {
  record(root, ONE, "one", 200);
  record(root, TWO, "two", 110);
});
let page: Page;
beforeEach(() => {
  page = shared.page;
});

const open = (more = "") => page.goto(`${shared.address}/run/${ONE}?tab=images${more}`);
const large = (file: string, more = "") => open(`&image=media/${file}.png${more}`);
const box = (): Locator => page.getByRole("dialog", { name: "Image viewer" });
const shown = (name: string): Locator => box().getByRole("img", { name });
const percent = (): Promise<string> =>
  box().getByRole("group", { name: "Zoom", exact: true }).getByRole("status").innerText();
const place = async (picture: Locator) => {
  const found = await picture.boundingBox();
  if (!found) throw new Error("the picture has no place");
  return { x: Math.round(found.x), y: Math.round(found.y), width: Math.round(found.width) };
};
const isThere = (picture: Locator) =>
  expect
    .poll(() =>
      picture.evaluate(
        (image) => (image as HTMLImageElement).complete && (image as HTMLImageElement).naturalWidth,
      ),
    )
    .toBeGreaterThan(0);

describe("zoom", () => {
  it("goes by keys: larger, smaller, all of it, pixel by pixel", async () => {
    await large("samples_10");
    await isThere(shown("samples · 10"));
    expect(await percent()).toBe("Fit");
    await page.keyboard.press("1");
    await expect.poll(percent).toBe("100 %");
    expect((await place(shown("samples · 10"))).width).toBe(SIDE);
    await page.keyboard.press("+");
    await expect.poll(percent).toBe("125 %");
    await page.keyboard.press("-");
    await page.keyboard.press("-");
    await expect.poll(percent).toBe("80 %");
    await page.keyboard.press("0");
    await expect.poll(percent).toBe("Fit");
  });

  it("goes by the wheel, and what is under the pointer stays there", async () => {
    await large("samples_10");
    await isThere(shown("samples · 10"));
    const before = await place(shown("samples · 10"));
    // A corner of the picture: it must not move.
    await page.mouse.move(before.x + 1, before.y + 1);
    await page.mouse.wheel(0, -300);
    await expect.poll(percent).not.toBe("Fit");
    const after = await place(shown("samples · 10"));
    expect(after.width).toBeGreaterThan(before.width * 1.3);
    expect(Math.abs(after.x - before.x)).toBeLessThan(4);
  });

  it("and place stay from step to step, from key to key, and over a reload", async () => {
    await large("samples_10");
    await isThere(shown("samples · 10"));
    await page.keyboard.press("1");
    for (let turns = 0; turns < 14; turns += 1) await page.keyboard.press("+");
    await page.keyboard.press("Shift+ArrowLeft");
    const before = await place(shown("samples · 10"));
    await page.keyboard.press("ArrowRight");
    await isThere(shown("samples · 20"));
    expect(await place(shown("samples · 20"))).toEqual(before);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await isThere(shown("samples · 20"));
    await expect.poll(() => page.url()).toMatch(/image=media%2Fsamples_20\.png.*zoom=22\.7/);
    await page.reload();
    await isThere(shown("samples · 20"));
    expect(await place(shown("samples · 20"))).toEqual(before);
  });

  it("lets the hand move a picture that is larger than the window", async () => {
    await large("samples_10", "&zoom=40,0.5,0.5");
    await isThere(shown("samples · 10"));
    const before = await place(shown("samples · 10"));
    const middle = { x: 720, y: 450 };
    await page.mouse.move(middle.x, middle.y);
    await page.mouse.down();
    await page.mouse.move(middle.x - 60, middle.y + 30, { steps: 3 });
    await page.mouse.up();
    const after = await place(shown("samples · 10"));
    expect([after.x - before.x, after.y - before.y]).toEqual([-60, 30]);
  });
});

describe("two steps of one run", () => {
  it("stand side by side under one zoom; arrows move A, comma and full stop move B", async () => {
    await large("samples_20");
    await isThere(shown("samples · 20"));
    await page.keyboard.press("s");
    await isThere(shown("samples · 10"));
    await page.keyboard.press("1");
    await expect.poll(async () => (await place(shown("samples · 10"))).width).toBe(SIDE);
    const [a, b] = [await place(shown("samples · 20")), await place(shown("samples · 10"))];
    expect(a.width).toBe(b.width);
    expect(a.y).toBe(b.y);
    await page.keyboard.press("ArrowRight");
    await isThere(shown("samples · 30"));
    await page.keyboard.press(".");
    await isThere(shown("samples · 20"));
    expect(await box().getByRole("group", { name: "B", exact: true }).innerText()).toContain("20");
    await expect.poll(() => page.url()).toMatch(/view=side.*beside=media%2Fsamples_20\.png/);
    await page.reload();
    await isThere(shown("samples · 30"));
    await isThere(shown("samples · 20"));
    await page.keyboard.press("x");
    await expect.poll(() => box().getByRole("group", { name: "A", exact: true }).innerText()).toContain("20");
    await page.keyboard.press("a");
    await shown("samples · 30").waitFor({ state: "detached" });
  });

  it("are wiped by a divider that the hand and the arrow keys move", async () => {
    await large("samples_20", "&view=wipe&beside=media/samples_10.png");
    await isThere(shown("samples · 20"));
    await isThere(shown("samples · 10"));
    const divider = box().getByRole("slider", { name: "Divider between A and B" });
    expect(await divider.getAttribute("aria-valuenow")).toBe("50");
    await divider.focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Shift+ArrowLeft");
    expect(await divider.getAttribute("aria-valuenow")).toBe("39");
    await expect.poll(() => page.url()).toContain("wipe=0.39");
    const at = await divider.boundingBox();
    if (!at) throw new Error("the divider has no place");
    await page.mouse.move(at.x + at.width / 2, at.y + 200);
    await page.mouse.down();
    await page.mouse.move(at.x + at.width / 2 + 280, at.y + 200, { steps: 4 });
    await page.mouse.up();
    const now = Number(await divider.getAttribute("aria-valuenow"));
    expect(now).toBeGreaterThan(55);
    // What is painted left and right of the divider: A is green 40, B is green 20.
    const shot = (await page.screenshot()).toString("base64");
    const greens = await page.evaluate(async (bytes) => {
      const image = new Image();
      image.src = `data:image/png;base64,${bytes}`;
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.width, image.height];
      const context = canvas.getContext("2d");
      context?.drawImage(image, 0, 0);
      return [0.35, 0.68].map(
        (share) => context?.getImageData(image.width * share, image.height / 2 + 90, 1, 1).data[1],
      );
    }, shot);
    expect(greens).toEqual([40, 20]);
  });

  it("have a difference, drawn and said in numbers", async () => {
    await large("samples_30");
    await isThere(shown("samples · 30"));
    await page.keyboard.press("d");
    // Green 60 against 40, the other channels equal.
    await box().getByText("Largest difference 20 of 255, mean 6.6667; 100 % of the pixels differ.").waitFor();
    const pixel = () =>
      box()
        .getByRole("img", { name: "Difference of A and B" })
        .locator("canvas")
        .evaluate((canvas) => [
          ...((canvas as HTMLCanvasElement).getContext("2d")?.getImageData(3, 3, 1, 1).data ?? []),
        ]);
    await expect.poll(pixel).toEqual([0, 20, 0, 255]);
    await page.keyboard.press("e");
    await expect.poll(pixel).toEqual([0, 255, 0, 255]);
    await expect.poll(() => page.url()).toMatch(/view=difference.*strong=1/);
  });

  it("that are equal are said to be", async () => {
    await large("same_20", "&view=difference&beside=media/same_10.png");
    await box().getByText("The two pictures are equal, pixel by pixel.").waitFor();
  });

  it("of different sizes say so in words", async () => {
    await large("sizes_20", "&view=difference&beside=media/sizes_10.png");
    await box().getByText("A is 32 × 32 pixels, B is 64 × 64:").waitFor();
  });
});

describe("two runs", () => {
  const compare = (more: string) =>
    page.goto(`${shared.address}/compare?tab=images&runs=${ONE},${TWO}${more}`);
  const a = `&image=media/samples_20.png&image_run=${ONE}`;

  it("stand side by side at one step, and the arrows move both", async () => {
    await compare(a);
    await isThere(shown("one · samples · 20"));
    await page.keyboard.press("s");
    await isThere(shown("two · samples · 20"));
    await page.keyboard.press("ArrowRight");
    await isThere(shown("one · samples · 30"));
    await isThere(shown("two · samples · 30"));
    await page.keyboard.press("ArrowUp");
    await isThere(shown("two · same · 20"));
  });

  it("have a difference, at every step that is scrubbed to", async () => {
    await compare(`${a}&view=difference&beside_run=${TWO}`);
    await box().getByText("Largest difference 90 of 255, mean 30; 100 % of the pixels differ.").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    await box().getByText("The two pictures are equal, pixel by pixel.").waitFor();
  });

  it("follow each other with zoom and place kept, by the bracket keys and by choice", async () => {
    await compare(`${a}&zoom=8,0.5,0.5`);
    await isThere(shown("one · samples · 20"));
    const before = await place(shown("one · samples · 20"));
    await page.keyboard.press("]");
    await isThere(shown("two · samples · 20"));
    expect(await place(shown("two · samples · 20"))).toEqual(before);
    await page.keyboard.press("s");
    await isThere(shown("one · samples · 20"));
    await box().getByRole("combobox", { name: "B: run" }).selectOption("two");
    await shown("one · samples · 20").waitFor({ state: "detached" });
  });
});

describe("the grid of a run", () => {
  it("scrubs all keys together, by the slider, by arrow keys and by playing", async () => {
    await open();
    const figure = page.getByRole("figure").filter({ hasText: "samples" });
    await figure.getByText("one samples 30").waitFor();
    await page.getByRole("slider", { name: "Step for all" }).fill("0");
    await figure.getByText("one samples 10").waitFor();
    await page.getByRole("slider", { name: "Step for all" }).blur();
    await page.keyboard.press("ArrowRight");
    await figure.getByText("one samples 20").waitFor();
    await page.getByRole("button", { name: "Play the steps" }).click();
    await figure.getByText("one samples 30").waitFor();
  });

  it("is searched for keys; Escape clears the search", async () => {
    await open();
    const search = page.getByRole("searchbox", { name: "Find keys" });
    await search.fill("siz");
    await expect.poll(() => page.getByRole("figure").count()).toBe(1);
    await search.press("Escape");
    await expect.poll(() => page.getByRole("figure").count()).toBe(3);
  });
});

describe("films and sounds", () => {
  const HEARD = "20260403_000000_0e0002";

  /** A whole WAV file: a head of 44 bytes and a tone in 16 bits. */
  function wav(secs: number, rate = 44_100): Buffer {
    const data = Buffer.alloc(secs * rate * 2);
    for (let at = 0; at < rate; at += 1) data.writeInt16LE(Math.round(8_000 * Math.sin(at / 16)), at * 2);
    const head = Buffer.alloc(44);
    head.write("RIFF", 0);
    head.writeUInt32LE(36 + data.length, 4);
    head.write("WAVEfmt ", 8);
    head.writeUInt32LE(16, 16);
    head.writeUInt16LE(1, 20);
    head.writeUInt16LE(1, 22);
    head.writeUInt32LE(rate, 24);
    head.writeUInt32LE(rate * 2, 28);
    head.writeUInt16LE(2, 32);
    head.writeUInt16LE(16, 34);
    head.write("data", 36);
    head.writeUInt32LE(data.length, 40);
    return Buffer.concat([head, data]);
  }

  /** A film that the browser itself records from a canvas. */
  async function webm(): Promise<Buffer> {
    const text = await page.evaluate(async () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [64, 48];
      const context = canvas.getContext("2d") as CanvasRenderingContext2D;
      const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: "video/webm" });
      const parts: Blob[] = [];
      recorder.ondataavailable = (event) => parts.push(event.data);
      const ended = new Promise((done) => {
        recorder.onstop = done;
      });
      recorder.start();
      for (let frame = 0; frame < 20; frame += 1) {
        context.fillStyle = `hsl(${frame * 18} 80% 50%)`;
        context.fillRect(0, 0, 64, 48);
        await new Promise((done) => setTimeout(done, 50));
      }
      recorder.stop();
      await ended;
      const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
      return btoa(String.fromCharCode(...bytes));
    });
    return Buffer.from(text, "base64");
  }

  function log(name: string, key: string, bytes: Buffer): void {
    const dir = writeRun(shared.root, { id: HEARD, path: "img", alias: "heard", status: "finished" });
    mkdirSync(join(dir, "media"), { recursive: true });
    writeFileSync(join(dir, "media", name), bytes);
    append(dir, "events.jsonl", imageLine(1, key, `media/${name}`));
  }

  const openHeard = async (key: string) => {
    await page.goto(`${shared.address}/run/${HEARD}?tab=images&key=${key}`);
    return page.getByRole("figure").filter({ hasText: key });
  };
  const player = (figure: Locator) => figure.locator("video, audio");

  it("a sound plays with the browser's controls, and is sought in without fetching what lies before", async () => {
    log("tone.wav", "tone", wav(240));
    const parts: string[] = [];
    page.on("response", (response) => {
      if (response.url().includes("tone.wav"))
        parts.push(`${response.status()} ${response.headers()["content-range"]}`);
    });
    const sound = player(await openHeard("tone"));
    const state = () =>
      sound.evaluate((element) => {
        const { duration, controls, seeking, readyState, currentTime } = element as HTMLMediaElement;
        return {
          duration: Math.round(duration),
          controls,
          ready: readyState > 1 && !seeking,
          at: Math.round(currentTime),
        };
      });
    await expect.poll(state).toMatchObject({ duration: 240, controls: true });
    await sound.evaluate((element) => {
      (element as HTMLMediaElement).currentTime = 200;
    });
    await expect.poll(state).toMatchObject({ ready: true, at: 200 });
    // The file has 21 MB; what plays at 200 seconds begins at about 17 MB.
    expect(parts.some((part) => /^206 bytes 1[67]\d{6}-/.test(part))).toBe(true);
  });

  it("a film that was just recorded plays", async () => {
    await page.goto(shared.address);
    log("film.webm", "film", await webm());
    const film = player(await openHeard("film"));
    await expect.poll(() => film.evaluate((element) => (element as HTMLVideoElement).videoWidth)).toBe(64);
    await film.evaluate((element) => {
      (element as HTMLVideoElement).muted = true;
      return (element as HTMLVideoElement).play();
    });
    await expect
      .poll(() => film.evaluate((element) => (element as HTMLVideoElement).currentTime))
      .toBeGreaterThan(0.1);
  });

  it("what the browser cannot play says so and is offered for saving", async () => {
    log("broken.mp4", "broken", Buffer.from("no film at all"));
    const figure = await openHeard("broken");
    await figure.getByRole("alert").getByText("This browser cannot play this file.").waitFor();
    const saved = page.waitForEvent("download");
    await figure.getByRole("link", { name: /^Download/ }).click();
    expect((await saved).suggestedFilename()).toBe("broken.mp4");
    log("frames.avi", "frames", Buffer.from("RIFF"));
    const other = await openHeard("frames");
    await other.getByText("This kind of file is not shown here.").waitFor();
    await other.getByRole("link", { name: /^Download/ }).waitFor();
  });
});

describe("small pictures", () => {
  const LARGE = "20260404_000000_0e0003";

  it("stand in the grid in place of large ones; the whole one comes when it is opened", async () => {
    const dir = writeRun(shared.root, { id: LARGE, path: "img", alias: "large", status: "finished" });
    mkdirSync(join(dir, "media"), { recursive: true });
    writeFileSync(join(dir, "media/big.png"), png(10, 200, 90, 1500));
    append(dir, "events.jsonl", imageLine(1, "big", "media/big.png"));
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(`${shared.address}/run/${LARGE}?tab=images`);
    const width = (image: Locator) => image.evaluate((element) => (element as HTMLImageElement).naturalWidth);
    const tile = page.getByRole("figure").getByRole("img");
    await expect.poll(() => width(tile)).toBe(256);
    expect(asked.filter((path) => path.startsWith("/api/run-file/"))).toEqual([]);
    await page.getByRole("button", { name: /^Show big/ }).click();
    await expect.poll(() => width(shown("big · 1"))).toBe(1500);
    await page.keyboard.press("Escape");
    // The file is written anew: so is its small picture.
    writeFileSync(join(dir, "media/big.png"), png(10, 200, 90, 200));
    await page.reload();
    await expect.poll(() => width(tile)).toBe(200);
  });
});
