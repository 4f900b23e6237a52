/** Which host the connect dialog is about, if it is open. It belongs to no page: several ask for it. */

export interface ConnectWish {
  /** Id of the host. */
  host: string;
  /** `open` tries at once with what is configured; `options` signs in and asks what to show; `again` remakes a session. */
  goal: "open" | "options" | "again";
  /** The session to make again. */
  session?: string;
}

export class Connecting {
  wish = $state.raw<ConnectWish | null>(null);

  open(wish: ConnectWish): void {
    this.wish = wish;
  }

  close(): void {
    this.wish = null;
  }
}
