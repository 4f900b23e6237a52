/** Short messages at the foot of the window; the ones with an action wait longer. */

export interface Toast {
  key: number;
  kind: "done" | "bad";
  text: string;
  action: { label: string; run: () => void } | null;
}

const plainMillis = 5_000;
const actionMillis = 12_000;

export class Toasts {
  list = $state.raw<readonly Toast[]>([]);
  #next = 1;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  say(text: string, options: { kind?: Toast["kind"]; action?: Toast["action"] } = {}): number {
    const toast: Toast = {
      key: this.#next++,
      kind: options.kind ?? "done",
      text,
      action: options.action ?? null,
    };
    this.list = [...this.list.slice(-3), toast];
    this.resume(toast);
    return toast.key;
  }

  dismiss(key: number): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    this.list = this.list.filter((toast) => toast.key !== key);
  }

  /** A toast that is pointed at or holds the focus does not go away. */
  hold(toast: Toast): void {
    clearTimeout(this.#timers.get(toast.key));
  }

  resume(toast: Toast): void {
    this.hold(toast);
    const wait = toast.action === null && toast.kind === "done" ? plainMillis : actionMillis;
    this.#timers.set(
      toast.key,
      setTimeout(() => this.dismiss(toast.key), wait),
    );
  }
}
