/** The live state as React reads it. */

import { useCallback, useSyncExternalStore } from "react";
import type { FromPage } from "./events.worker";
import { after, type Change, initial, type Link, type Model, type Replica, type State } from "./state";
import { Stream } from "./stream";

let state: State = initial;
const listeners = new Set<() => void>();

function take(change: Change): void {
  state = after(state, change);
  for (const listener of listeners) listener();
}

/** Starts listening; once, for as long as the page lives. */
export function listen(): void {
  // Off the page's cache (back and forward) a worker's port is dead: then the page starts anew.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  if (typeof SharedWorker === "undefined") {
    const stream = new Stream("/api/models/events", take);
    stream.open();
    addEventListener("pagehide", () => stream.close());
    addEventListener("online", () => stream.open());
    return;
  }
  const worker = new SharedWorker(new URL("./events.worker.ts", import.meta.url), {
    type: "module",
    name: "sirene-events",
  });
  const say = (word: FromPage) => worker.port.postMessage(word);
  worker.port.onmessage = ({ data }: MessageEvent<Change>) => take(data);
  addEventListener("pagehide", () => say("bye"));
  addEventListener("online", () => say("again"));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** All models in the order of the catalogue; null before the first snapshot. */
export function useModels(): readonly Model[] | null {
  return useSyncExternalStore(subscribe, () => state.models);
}

export function useModel(id: string): Model | undefined {
  const find = useCallback(() => state.models?.find((model) => model.id === id), [id]);
  return useSyncExternalStore(subscribe, find);
}

export function useReplicas(): readonly Replica[] {
  return useSyncExternalStore(subscribe, () => state.replicas);
}

/** What a view needs to know of the replicas, which report every two seconds: it is drawn anew when this changes. */
export function useOfReplicas<T extends string | number | boolean | null>(of: (replicas: readonly Replica[]) => T): T {
  return useSyncExternalStore(subscribe, () => of(state.replicas));
}

export function useLink(): Link {
  return useSyncExternalStore(subscribe, () => state.link);
}

/** Calls back with the state before and after each change; for toasts and the tab's title. */
export function watch(changed: (now: State, before: State) => void): () => void {
  let before = state;
  return subscribe(() => {
    const [now, old] = [state, before];
    before = state;
    changed(now, old);
  });
}

/** Milliseconds since 1970 by the server's clock. */
export function serverNow(): number {
  return Date.now() + state.clockAheadMs;
}
