/**
 * The one event stream of a browser, kept open whatever the server answers.
 *
 * Runs in a SharedWorker, where browsers allow one connection for all tabs (with one stream a tab,
 * HTTP/1.1 hangs at the seventh), or in the page where there is none.
 */

import { after, type Change, initial, type State, type StreamEvent } from "./state";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 10_000;

export class Stream {
  state: State = initial;
  private source: EventSource | null = null;
  private delayMs = FIRST_DELAY_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly url: string,
    private readonly tell: (change: Change) => void,
  ) {}

  open(): void {
    this.close();
    const source = new EventSource(this.url);
    this.source = source;
    for (const kind of ["snapshot", "model", "replica"] as const)
      source.addEventListener(kind, (event: MessageEvent<string>) =>
        this.take({ kind, data: JSON.parse(event.data) } as StreamEvent),
      );
    source.onerror = () => {
      this.take({ kind: "link", link: "lost" });
      // The browser itself retries a dropped socket, but after one answer that is not 200 never again.
      if (source.readyState === EventSource.CLOSED) this.reopen();
    };
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  private reopen(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), this.delayMs * (0.75 + Math.random() / 2));
    this.delayMs = Math.min(this.delayMs * 2, LONGEST_DELAY_MS);
  }

  private take(change: Change): void {
    if (change.kind === "snapshot") this.delayMs = FIRST_DELAY_MS;
    this.state = after(this.state, change);
    this.tell(change);
  }
}
