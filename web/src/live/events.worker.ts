/** Holds the browser's one event stream, and tells every tab its changes, the whole state first. */

import type { Change } from "./state";
import { Stream } from "./stream";

declare const self: SharedWorkerGlobalScope;
interface SharedWorkerGlobalScope {
  onconnect: ((event: MessageEvent) => void) | null;
}

export type FromPage = "bye" | "again";

const ports = new Set<MessagePort>();
const stream = new Stream("/api/models/events", (change) => {
  for (const port of ports) port.postMessage(change);
});

self.onconnect = (event) => {
  const port = event.ports[0]!;
  port.onmessage = ({ data }: MessageEvent<FromPage>) => {
    if (data === "again") stream.open();
    if (data !== "bye") return;
    ports.delete(port);
    if (ports.size === 0) stream.close();
  };
  if (ports.size === 0) stream.open();
  ports.add(port);
  port.postMessage({ kind: "state", state: stream.state } satisfies Change);
};
