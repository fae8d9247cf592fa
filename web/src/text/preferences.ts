/** What this browser remembers for its person: small values in localStorage, shared by all tabs. */

import { useSyncExternalStore } from "react";

export interface Preference<T extends string> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

export function preference<T extends string>(name: string, allowed: readonly T[], fallback: () => T): Preference<T> {
  const key = `sirene.${name}`;
  const listeners = new Set<() => void>();
  let kept: T | null = null; // where storage is refused, for as long as the page lives
  const read = (): T => {
    const found = (stored(key) ?? kept) as T | null;
    return found !== null && allowed.includes(found) ? found : fallback();
  };
  addEventListener("storage", (event) => {
    if (event.key === key) for (const listener of listeners) listener();
  });
  return {
    get: read,
    set(value) {
      kept = value;
      try {
        localStorage.setItem(key, value);
      } catch {
        // Private windows may refuse; the value then lasts until the page is left.
      }
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function usePreference<T extends string>(of: Preference<T>): [T, (value: T) => void] {
  return [useSyncExternalStore(of.subscribe, of.get), of.set];
}
