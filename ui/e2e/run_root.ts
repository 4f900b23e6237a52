/** Storage roots for the tests of the Run page, written the way the SDK writes them. */
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { writeRun } from "./viewer";

export const LIVE = "20260101_000000_11fe00";
export const LONG = "20260102_000000_10e600";
export const HOSTILE = "20260103_000000_bad000";
export const EMPTY = "20260104_000000_e00000";
export const MEDIA = "20260105_000000_3ed1a0";
export const WIDE = "20260107_000000_31de00";
export const ODD = "20260106_000000_0dd000";

/** Where the one-point spike of the long run stands, and how high. */
export const SPIKE = { step: 123_457, value: 99.5 };

export interface Metrics {
  [name: string]: number | string | null;
}

export function eventLine(step: number, data: Metrics, ts = 1_770_000_000 + step): string {
  return `${JSON.stringify({ ts, type: "metrics", data: { ...data, global_step: step, time: ts } })}\n`;
}

export function imageLine(
  step: number | null,
  key: string,
  path: string,
  caption: string | null = null,
): string {
  return `${JSON.stringify({ ts: 1, type: "image", data: { key, path, step, caption } })}\n`;
}

export function append(dir: string, name: string, text: string): void {
  appendFileSync(join(dir, name), text);
}

export function finish(dir: string, status: string): void {
  const now = Date.now() / 1000;
  writeFileSync(join(dir, "status.json"), JSON.stringify({ status, started_at: now - 60, ended_at: now }));
}

const ZIP =
  "import json,sys,zipfile\nz=zipfile.ZipFile(sys.argv[1],'w')\n[z.writestr(n,t) for n,t in json.load(sys.stdin).items()]\nz.close()";

/** A code snapshot as the SDK writes it. */
export function snapshot(dir: string, files: Record<string, string>): void {
  const made = spawnSync("python3", ["-c", ZIP, join(dir, "code_snapshot.zip")], {
    input: JSON.stringify(files),
  });
  if (made.status !== 0) throw new Error(String(made.stderr));
}

/** A picture of one colour. */
export function png(red: number, green: number, blue: number, side = 32): Buffer {
  const row = Buffer.from([0, ...Array.from({ length: side }, () => [red, green, blue]).flat()]);
  const pixels = deflateSync(Buffer.concat(Array.from({ length: side }, () => row)));
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", head),
    chunk("IDAT", pixels),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(name: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, "latin1"), body]);
  const framed = Buffer.alloc(8 + named.length);
  framed.writeUInt32BE(body.length, 0);
  named.copy(framed, 4);
  framed.writeUInt32BE(crc(named), 4 + named.length);
  return framed;
}

function crc(bytes: Buffer): number {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}

export function writeLiveRun(root: string, id: string): string {
  const dir = writeRun(root, { id, path: "live/net", alias: "live one" });
  for (let step = 1; step <= 20; step += 1) {
    append(
      dir,
      "events.jsonl",
      eventLine(step, { "train/loss": 1 / step, "train/acc": step / 100, lr: 0.001 }),
    );
  }
  append(dir, "logs.txt", "first line\nsecond line\n");
  return dir;
}

/** How many lines the long run's log has. */
export const LOG_LINES = 1_000_000;

/** 200,000 rows with one spike, and a log of a million lines. */
export function writeLongRun(root: string): string {
  const dir = writeRun(root, { id: LONG, path: "long", status: "finished" });
  const rows: string[] = [];
  for (let step = 1; step <= 200_000; step += 1) {
    rows.push(eventLine(step, { loss: step === SPIKE.step ? SPIKE.value : 2 + Math.sin(step / 9000) }));
  }
  writeFileSync(join(dir, "events.jsonl"), rows.join(""));
  const lines = Array.from({ length: LOG_LINES }, (_, i) =>
    i % 100_000 === 4321 ? `needle ${i + 1}` : `line ${i + 1}`,
  );
  lines[LOG_LINES - 10] = "\u001b[31mred words\u001b[0m and \u001b[1mbold ones\u001b[0m";
  lines[LOG_LINES - 9] = "10%|#    |\r50%|###  |\r100%|#####|";
  writeFileSync(join(dir, "logs.txt"), `${lines.join("\n")}\n`);
  return dir;
}

/** 600 metrics in one group: more than any screen shows. */
export function writeWideRun(root: string): string {
  const dir = writeRun(root, { id: WIDE, path: "wide", status: "finished" });
  for (let step = 1; step <= 3; step += 1) {
    const data = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`layer/${i}`, i + step]));
    append(dir, "events.jsonl", eventLine(step, data));
  }
  return dir;
}

/** NaN, infinities, repeated and backward steps, one point, a constant, very large and very small values. */
export function writeOddRun(root: string): string {
  const dir = writeRun(root, { id: ODD, path: "odd", status: "finished" });
  const raw = (step: number, members: string) =>
    `{"ts": ${step}, "type": "metrics", "data": {${members}, "global_step": ${step}, "time": ${step}}}\n`;
  const lines: string[] = [];
  for (let step = 1; step <= 40; step += 1) {
    const gap = step === 10 ? "NaN" : step === 20 ? "Infinity" : step === 30 ? "-Infinity" : String(step);
    lines.push(
      raw(
        step,
        `"gaps": ${gap}, "constant": 7, "huge": ${step}e18, "tiny": ${step}e-300, "mixed": ${step - 5}`,
      ),
    );
  }
  lines.push(raw(5, '"back": 1'), raw(5, '"back": 2'), raw(3, '"back": 3'), raw(3, '"one": 42'));
  writeFileSync(join(dir, "events.jsonl"), lines.join(""));
  return dir;
}

export function writeMediaRun(root: string): string {
  const dir = writeRun(root, { id: MEDIA, path: "media", status: "finished" });
  mkdirSync(join(dir, "media"), { recursive: true });
  writeFileSync(join(dir, "media", "a1.png"), png(200, 40, 40));
  writeFileSync(join(dir, "media", "a2.png"), png(40, 200, 40));
  writeFileSync(join(dir, "media", "b1.png"), png(40, 40, 200));
  append(dir, "events.jsonl", eventLine(1, { loss: 1 }));
  append(dir, "events.jsonl", imageLine(1, "samples", "media/a1.png", "the first"));
  append(dir, "events.jsonl", imageLine(2, "samples", "media/a2.png", "the second"));
  append(dir, "events.jsonl", imageLine(1, "masks", "media/b1.png"));
  append(dir, "events.jsonl", imageLine(2, "masks", "media/never_written.png"));
  return dir;
}

const SCRIPT = '<script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'">';

/** Every name, value and file that a run controls tries to run script. */
export function writeHostileRun(root: string): string {
  const dir = writeRun(root, {
    id: HOSTILE,
    path: "hostile",
    alias: SCRIPT,
    tags: [SCRIPT],
    status: "finished",
  });
  mkdirSync(join(dir, "media"), { recursive: true });
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=\'owned\'"><script>alert(1)</script></svg>';
  writeFileSync(join(dir, "media", "evil.svg"), svg);
  writeFileSync(join(dir, "media", "evil.html"), `<!doctype html>${SCRIPT}`);
  append(dir, "events.jsonl", eventLine(1, { [SCRIPT]: 1, [`${SCRIPT}/loss`]: 2, ok: 3 }));
  append(dir, "events.jsonl", imageLine(1, SCRIPT, "media/evil.svg", SCRIPT));
  append(dir, "events.jsonl", imageLine(1, "page", "media/evil.html", SCRIPT));
  append(dir, "events.jsonl", imageLine(1, "outside", "../../../../etc/passwd", SCRIPT));
  append(
    dir,
    "logs.txt",
    `${SCRIPT}\n\u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007 \u001b[31m${SCRIPT}\u001b[0m\n`,
  );
  const assets = {
    code: {},
    config: { args: { [SCRIPT]: SCRIPT, nested: { deeper: [SCRIPT] } }, extra: {}, config_files: [] },
    datasets: [
      { name: SCRIPT, context: SCRIPT, uri: "javascript:alert(1)", description: SCRIPT, saved: false },
    ],
    pretrained: [],
    outputs: [
      { key: SCRIPT, name: SCRIPT, kind: "file", path: SCRIPT, saved: true, archive_path: "/etc/passwd" },
    ],
  };
  writeFileSync(join(dir, "assets.json"), JSON.stringify(assets));
  writeFileSync(join(dir, "summary.json"), JSON.stringify({ [SCRIPT]: SCRIPT }));
  return dir;
}

export function writeEmptyRun(root: string): string {
  return writeRun(root, { id: EMPTY, path: "empty", status: "finished" });
}
