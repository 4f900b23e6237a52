/** All figures of a machine, asked for only while the page is on screen and the window is seen. */
import type { Api } from "../../api/client";
import {
  gpuMinutes,
  gpusNow,
  gpusSince,
  type HostReading,
  hostNow,
  type Minute,
  type Telemetry,
} from "../../api/gpus";
import { Poll } from "../../api/poll.svelte";
import { type Rates, ratesOf } from "./host_rates";
import { added, joined, rangeSecs } from "./trend";

/** As often as the server reads its GPUs. */
const nowMillis = 2_000;
const minuteMillis = 60_000;
/** Readings that are asked for and kept: a card is not wider in pixels. */
const keptReadings = 400;

const nowSecs = (): number => Date.now() / 1000;

export class GpuFeed {
  /** Single readings of the last hour. */
  readings = $state.raw<readonly Telemetry[]>([]);
  rates = $state.raw<Rates | null>(null);
  /** When the GPUs last answered, in seconds. */
  heardAtSecs = $state(0);

  readonly now: Poll<Telemetry>;
  readonly host: Poll<HostReading>;
  readonly minutes: Poll<readonly Minute[]>;
  readonly #past: Poll<void>;
  #hostBefore: HostReading | null = null;

  constructor(api: Api) {
    this.now = new Poll(async (signal) => this.#take(await gpusNow(api, signal)), { everyMillis: nowMillis });
    this.host = new Poll(async (signal) => this.#compare(await hostNow(api, signal)), {
      everyMillis: nowMillis,
    });
    this.minutes = new Poll((signal) => this.#minutesSince(api, signal), { everyMillis: minuteMillis });
    this.#past = new Poll(async (signal) => {
      const found = await gpusSince(api, nowSecs() - rangeSecs.hour, keptReadings / 2, signal);
      const first = this.readings[0]?.ts ?? Number.POSITIVE_INFINITY;
      this.readings = [...found.filter((one) => one.ts < first), ...this.readings];
    });
  }

  start(): () => void {
    const stops = [this.now.start(), this.host.start(), this.minutes.start(), this.#past.start()];
    return () => {
      for (const stop of stops) stop();
    };
  }

  async refresh(): Promise<void> {
    await Promise.all([this.now.refresh(), this.host.refresh(), this.minutes.refresh()]);
  }

  /** The whole day once, then only what came after it. */
  async #minutesSince(api: Api, signal: AbortSignal): Promise<readonly Minute[]> {
    const known = this.minutes.value ?? [];
    const from = nowSecs() - rangeSecs.day;
    return joined(known, await gpuMinutes(api, known.at(-1)?.ts ?? from, signal), from);
  }

  #take(reading: Telemetry): Telemetry {
    this.heardAtSecs = nowSecs();
    this.readings = added(this.readings, reading, keptReadings);
    return reading;
  }

  #compare(reading: HostReading): HostReading {
    // The same look twice tells no rate; the one before is kept.
    if (this.#hostBefore === null || reading.ts > this.#hostBefore.ts) {
      this.rates = ratesOf(this.#hostBefore, reading) ?? this.rates;
      this.#hostBefore = reading;
    }
    return reading;
  }
}
