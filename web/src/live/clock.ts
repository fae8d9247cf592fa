/** The server's time for what counts up or down: one timer for a page, and none while nobody sees it. */

import { useSyncExternalStore } from "react";
import { serverNow } from "./store";

const EVERY_MS = 1000;

const listeners = new Set<() => void>();
let nowS = 0;
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  nowS = serverNow() / 1000;
  for (const listener of listeners) listener();
}

function run(): void {
  clearInterval(timer);
  if (listeners.size === 0 || document.hidden) return;
  tick();
  timer = setInterval(tick, EVERY_MS);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    document.addEventListener("visibilitychange", run);
    run();
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    document.removeEventListener("visibilitychange", run);
    run();
  };
}

/** Seconds since 1970 by the server's clock, new once a second. */
export function useServerSeconds(): number {
  return useSyncExternalStore(subscribe, () => nowS || (nowS = serverNow() / 1000));
}
