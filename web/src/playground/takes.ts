/** The takes of this browser, newest first: in IndexedDB, or where that is refused in memory. */

import type { Asked } from "./choices";
import { Store } from "./store";

export const MAX_TAKES = 50;
export const MAX_BYTES = 100_000_000;

export type Ending = "whole" | "stopped" | "cut";

export interface Metrics {
  /** From the request to the first sample; null before it is there. */
  firstAudioMs: number | null;
  /** Of it, what the model took to come into memory. */
  loadMs: number;
  /** From the request to the last sample so far. */
  elapsedMs: number;
}

export interface Take {
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  asked: Asked;
  rate: number;
  seconds: number;
  bytes: number;
  ending: Ending;
  metrics: Metrics;
}

interface Shelf {
  /** null: not read yet. */
  takes: readonly Take[] | null;
  /** They outlive this page. */
  isKept: boolean;
}

const [TAKES, AUDIO] = ["takes", "audio"] as const;

class Takes extends Store<Shelf> {
  private readonly inMemory = new Map<string, Int16Array>();
  private readonly database: Promise<IDBDatabase | null> = opened();
  private readonly otherTabs = new BroadcastChannel("sirene.takes");

  constructor() {
    super({ takes: null, isKept: true });
    this.otherTabs.onmessage = () => void this.read();
    void this.read();
  }

  async add(take: Take, samples: Int16Array): Promise<void> {
    const database = await this.database;
    const all = [take, ...(this.get().takes ?? [])];
    const kept = keeping(all);
    const gone = all.filter((one) => !kept.includes(one));
    this.inMemory.set(take.id, samples);
    this.set({ takes: kept });
    if (!database) return;
    const stored = await written(database, (takes, audio) => {
      takes.put(take);
      audio.put(samples, take.id);
      for (const { id } of gone) void (takes.delete(id), audio.delete(id));
    });
    // A disk without room refuses: then it is kept for as long as the page lives.
    if (stored) this.inMemory.delete(take.id);
    this.otherTabs.postMessage("changed");
  }

  async samples(id: string): Promise<Int16Array | null> {
    const here = this.inMemory.get(id);
    if (here) return here;
    const database = await this.database;
    if (!database) return null;
    const found: unknown = await answer(database.transaction(AUDIO).objectStore(AUDIO).get(id));
    return found instanceof Int16Array ? found : null;
  }

  async remove(id: string): Promise<void> {
    this.inMemory.delete(id);
    this.set({ takes: (this.get().takes ?? []).filter((take) => take.id !== id) });
    await this.change((takes, audio) => void (takes.delete(id), audio.delete(id)));
  }

  async clear(): Promise<void> {
    this.inMemory.clear();
    this.set({ takes: [] });
    await this.change((takes, audio) => void (takes.clear(), audio.clear()));
  }

  private async change(change: (takes: IDBObjectStore, audio: IDBObjectStore) => void): Promise<void> {
    const database = await this.database;
    if (!database) return;
    await written(database, change);
    this.otherTabs.postMessage("changed");
  }

  private async read(): Promise<void> {
    const database = await this.database;
    if (!database) {
      this.set({ takes: this.get().takes ?? [], isKept: false });
      return;
    }
    const found = (await answer(database.transaction(TAKES).objectStore(TAKES).getAll())) as Take[];
    const isStored = (id: string) => found.some((take) => take.id === id);
    const unstored = (this.get().takes ?? []).filter(({ id }) => this.inMemory.has(id) && !isStored(id));
    this.set({ takes: [...unstored, ...found].sort((one, other) => other.at - one.at) });
  }
}

/** takes: newest first. Those that stay: the newest one always, then as many as have room. */
function keeping(takes: readonly Take[]): Take[] {
  let bytes = 0;
  return takes.filter((take, at) => {
    bytes += take.bytes;
    return at === 0 || (at < MAX_TAKES && bytes <= MAX_BYTES);
  });
}

/** Unique in this browser; crypto.randomUUID needs a secure context. */
export const newId = (): string => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;

export const takes = new Takes();

/** null where the browser refuses. */
function opened(): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open("sirene", 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(TAKES, { keyPath: "id" });
        request.result.createObjectStore(AUDIO);
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}

function answer<T>(request: IDBRequest<T>): Promise<T | null> {
  return new Promise((resolve) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  });
}

/** Whether it was done. */
function written(database: IDBDatabase, change: (takes: IDBObjectStore, audio: IDBObjectStore) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const transaction = database.transaction([TAKES, AUDIO], "readwrite");
    transaction.oncomplete = () => resolve(true);
    transaction.onabort = transaction.onerror = () => resolve(false);
    change(transaction.objectStore(TAKES), transaction.objectStore(AUDIO));
  });
}
