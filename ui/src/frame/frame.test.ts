import { describe, expect, it } from "vitest";
import type { GpuTelemetry } from "../api/wire";
import { frameKey } from "./frame_keys";
import { gpuSummary } from "./gpu_summary";

const gpu = (name: string, util_gpu: number | null, mem_used_mib: number) => ({
  name,
  util_gpu,
  mem_used_mib,
  mem_total_mib: 80_000,
});

describe("the GPU summary", () => {
  it("is absent without GPUs or a driver", () => {
    expect(gpuSummary(undefined)).toBeNull();
    expect(gpuSummary({ available: false })).toBeNull();
    expect(gpuSummary({ available: true, gpus: [] })).toBeNull();
  });

  it("counts a card as busy when it computes or its memory is held", () => {
    const gpus = [gpu("NVIDIA H200", 90, 100), gpu("NVIDIA H200", 0, 60_000), gpu("NVIDIA H200", null, 200)];
    const telemetry: GpuTelemetry = { available: true, gpus };
    expect(gpuSummary(telemetry)).toMatchObject({ title: "3 × H200", busy: 2 });
  });

  it("names no model when there are several", () => {
    const telemetry = {
      available: true,
      gpus: [gpu("NVIDIA A100", 0, 0), gpu("NVIDIA GeForce RTX 4090", 0, 0)],
    };
    expect(gpuSummary(telemetry)).toMatchObject({ title: "2 × GPU", names: "A100, RTX 4090" });
  });
});

describe("keys of the frame", () => {
  const press = (members: KeyboardEventInit, target: Element = document.body) => {
    const event = new KeyboardEvent("keydown", members);
    Object.defineProperty(event, "target", { value: target });
    return frameKey(event);
  };

  it("open the palette everywhere and the help where nobody types", () => {
    const field = document.createElement("input");
    expect(press({ key: "k", ctrlKey: true }, field)).toBe("palette");
    expect(press({ key: "K", metaKey: true })).toBe("palette");
    expect(press({ key: "?" })).toBe("help");
    expect(press({ key: "?" }, field)).toBeNull();
    expect(press({ key: "p", ctrlKey: true }, field)).toBe("print");
    expect(press({ key: "k" })).toBeNull();
  });
});
