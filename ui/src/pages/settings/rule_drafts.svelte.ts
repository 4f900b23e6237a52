/** The rules as they are typed. What makes sense is kept after a short pause; what does not yet, waits. */
import { type AlertRule, ruleFault } from "../../state/alert_facts";
import type { Alerts } from "../../state/alerts.svelte";
import { alertsTexts } from "../../text/alerts";

const pauseMillis = 400;

export class RuleDrafts {
  rules = $state.raw<readonly AlertRule[]>([]);
  busy = $state(false);
  saved = $state(false);
  fault = $state.raw<unknown>(null);

  readonly #alerts: Alerts;
  /** Lines of metric names as typed: a comma at the end is no name yet. */
  #lines = new Map<string, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(alerts: Alerts) {
    this.#alerts = alerts;
    this.rules = alerts.rules;
  }

  add(rule: AlertRule): void {
    this.rules = [...this.rules, rule];
    this.#later();
  }

  remove(at: number): void {
    this.rules = this.rules.filter((_, place) => place !== at);
    this.#later();
  }

  change(at: number, members: Partial<AlertRule>): void {
    this.rules = this.rules.map((rule, place) => (place === at ? { ...rule, ...members } : rule));
    this.#later();
  }

  metricsLine(rule: AlertRule): string {
    return this.#lines.get(rule.id) ?? rule.metrics.join(", ");
  }

  typeMetrics(at: number, line: string, metrics: string[]): void {
    const rule = this.rules[at];
    if (rule) this.#lines.set(rule.id, line);
    this.change(at, { metrics });
  }

  #later(): void {
    this.saved = false;
    clearTimeout(this.#timer);
    if (this.rules.some((rule) => ruleFault(rule, alertsTexts.en) !== null)) return;
    this.busy = true;
    this.#timer = setTimeout(() => void this.#save(), pauseMillis);
  }

  async #save(): Promise<void> {
    const sent = this.rules;
    try {
      await this.#alerts.setRules(sent);
      this.fault = null;
      this.saved = this.rules === sent;
    } catch (error) {
      this.fault = error;
    }
    if (this.rules === sent) this.busy = false;
  }
}
