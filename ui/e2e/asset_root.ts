/** Runs that name assets, written the way the SDK writes them. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeRun } from "./viewer";

/** Hash of a made-up content. */
export const hashOf = (letter: string): string => letter.repeat(64);

/** Puts a file into the archive and gives its place, as `assets.json` records it. */
export function archive(root: string, hash: string, bytes: number): string {
  const folder = join(root, "archive/blobs", hash.slice(0, 2));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, hash), "x".repeat(bytes));
  return join(folder, hash);
}

export interface NamedDataset {
  name: string;
  uri?: unknown;
  fingerprint?: string;
  archive_path?: string;
}

/** A run that began with these datasets. */
export function writeDatasetRun(
  root: string,
  id: string,
  alias: string,
  datasets: readonly NamedDataset[],
  more: object = {},
): string {
  const dir = writeRun(root, {
    id,
    path: "vision/data",
    alias,
    status: "finished",
    createdAt: 1_780_000_000,
  });
  const assets = { code: {}, config: {}, datasets, pretrained: [], outputs: [], ...more };
  writeFileSync(join(dir, "assets.json"), JSON.stringify(assets));
  return dir;
}

/** A study over some weeks: a few datasets and models, shared by many runs, which made outputs of their own. */
export function writeStudy(root: string, runs = 64): void {
  const [day, began] = [86_400, Date.now() / 1000 - 21 * 86_400];
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const kept = (name: string, bytes: number) => ({
    fingerprint: hash(name),
    fingerprint_kind: "sha256",
    archive_path: archive(root, hash(name), bytes),
    saved: true,
  });
  const datasets = [
    {
      name: "cityscapes",
      context: "train",
      uri: "/data/cityscapes/v1",
      description: "2,975 fine annotations",
      ...kept("v1", 610_000),
    },
    {
      name: "cityscapes",
      context: "train",
      uri: "/data/cityscapes/v2",
      description: "labels of cyclists corrected",
      ...kept("v2", 622_000),
    },
    {
      name: "cityscapes",
      context: "train",
      uri: "/data/cityscapes/v3",
      description: "night scenes added",
      ...kept("v3", 870_000),
    },
  ];
  const validation = {
    name: "cityscapes-val",
    context: "val",
    uri: "/data/cityscapes/val.tar",
    ...kept("val", 98_000),
  };
  const bucket = { name: "bdd100k", context: "pretraining", uri: "s3://datasets/bdd100k", saved: false };
  const models = [
    {
      name: "resnet50",
      source_type: "torchvision",
      path_or_uri: "weights/resnet50.pt",
      ...kept("resnet50", 97_000),
    },
    {
      name: "vit-b16",
      source_type: "huggingface",
      path_or_uri: "hf://google/vit-base-patch16-224",
      saved: false,
    },
  ];
  for (let at = 0; at < runs; at += 1) {
    const id = `202606${String(1 + Math.floor(at / 3)).padStart(2, "0")}_12${String(at % 60).padStart(2, "0")}00_5e9a${String(at).padStart(2, "0")}`;
    const model = at % 3 === 0 ? 1 : 0;
    const status = at === runs - 1 ? "running" : at % 11 === 5 ? "failed" : "finished";
    const createdAt = began + (at * 20 * day) / runs;
    const alias = `${model === 1 ? "vit" : "resnet"}-seg-${at}`;
    const dir = writeRun(root, { id, path: "vision/segmentation", alias, status, createdAt });
    const best = kept(`best ${at}`, 97_000 + at * 120);
    const outputs =
      status === "failed"
        ? []
        : [{ key: "out/best.pt", name: "best.pt", kind: "file", path: "./out/best.pt", ...best }];
    const code = {
      snapshot: {
        workspace_root: "/home/ada/segmentation",
        format: "zip",
        ...kept(`code ${Math.floor(at / 9)}`, 48_000),
      },
    };
    const made =
      at > runs / 2 && at % 7 === 0
        ? [
            {
              name: "warm start",
              source_type: "run",
              path_or_uri: "out/best.pt",
              ...kept("best 12", 97_000 + 12 * 120),
            },
          ]
        : [];
    const assets = {
      code,
      config: { args: { lr: 0.001 } },
      datasets: [datasets[Math.floor((at * 3) / runs)], validation, ...(model === 1 ? [bucket] : [])],
      pretrained: [models[model], ...made],
      outputs,
    };
    writeFileSync(join(dir, "assets.json"), JSON.stringify(assets));
  }
}
