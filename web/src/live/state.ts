/** What the event stream tells: the link, and the latest state of every model and replica. */

import type { components } from "~/api/schema";

export type Model = components["schemas"]["ModelView"];
export type Loaded = components["schemas"]["LoadedView"];
export type Replica = components["schemas"]["ReplicaView"];
type ReplicaGone = components["schemas"]["ReplicaGone"];
type Snapshot = components["schemas"]["Snapshot"];

/** `connecting` only before the first stream was open. */
export type Link = "connecting" | "open" | "lost";

export type StreamEvent =
  | { kind: "snapshot"; data: Snapshot }
  | { kind: "model"; data: Model }
  | { kind: "replica"; data: Replica | ReplicaGone };

/** What the stream, or the worker that holds it, tells a page. */
export type Change = StreamEvent | { kind: "link"; link: Link } | { kind: "state"; state: State };

export interface State {
  link: Link;
  /** In the order of the catalogue; null until the first snapshot. */
  models: readonly Model[] | null;
  replicas: readonly Replica[];
  /** Milliseconds that the server's clock is ahead of this one's. */
  clockAheadMs: number;
}

export const initial: State = { link: "connecting", models: null, replicas: [], clockAheadMs: 0 };

/** The state after a change; what did not change stays the same object, so that views can tell. */
export function after(state: State, change: Change): State {
  switch (change.kind) {
    case "state":
      return change.state;
    case "link":
      return { ...state, link: change.link };
    // Only a snapshot proves that the server is whole: an open stream may still wait for its bus.
    case "snapshot":
      return withClock({ ...state, link: "open", ...change.data });
    case "model":
      return { ...state, models: replaced(state.models ?? [], change.data, (model) => model.id) };
    case "replica": {
      const replica = change.data;
      if ("gone" in replica)
        return { ...state, replicas: state.replicas.filter((r) => r.replica !== replica.replica) };
      return withClock({
        ...state,
        replicas: replaced(state.replicas, replica, (one) => one.replica),
      });
    }
  }
}

function replaced<T>(items: readonly T[], item: T, key: (item: T) => string): readonly T[] {
  const index = items.findIndex((other) => key(other) === key(item));
  return index < 0 ? [...items, item] : items.with(index, item);
}

/** A model in memory tells when it was used and how long ago that was: the sum is the server's now. */
function withClock(state: State): State {
  const loaded = state.replicas.flatMap((replica) => replica.models);
  const last = loaded.find((model) => model.in_flight === 0 && model.last_used_at > 0);
  if (!last) return state;
  return { ...state, clockAheadMs: (last.last_used_at + last.idle_s) * 1000 - Date.now() };
}
