/**
 * News that nobody has to act on: they come in a corner, are read aloud, and go by themselves.
 *
 * Our own, since the library for it takes a twentieth of all the script that the UI may have.
 */

import { X } from "~/ui/icons";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useWords } from "~/text/words";
import { Button, IconButton } from "./button";
import { words } from "./words";

interface Options {
  /** A second one of the same id takes the place of the first. */
  id?: string;
  action?: { label: string; onClick: () => void };
}

interface Toast extends Options {
  id: string;
  text: string;
}

const SHOWN_MS = 8000;
const MOST = 4;

let shown: readonly Toast[] = [];
let count = 0;
const listeners = new Set<() => void>();

function show(toasts: readonly Toast[]): void {
  shown = toasts.slice(-MOST);
  for (const listener of listeners) listener();
}

const without = (id: string) => shown.filter((one) => one.id !== id);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function toast(text: string, options: Options = {}): void {
  const id = options.id ?? String(++count);
  show([...without(id), { ...options, id, text }]);
}

/** The corner itself; it is there before the first news, so that screen readers listen to it. */
export function Toasts() {
  const w = useWords(words);
  const toasts = useSyncExternalStore(subscribe, () => shown);
  return (
    <section
      aria-label={w.news}
      aria-live="polite"
      className="pointer-events-none fixed inset-x-4 bottom-[calc(76px+env(safe-area-inset-bottom))] z-30 flex flex-col items-end gap-2 sm:bottom-6 sm:left-auto sm:w-[360px]"
    >
      {toasts.map((one) => <Item key={one.id} {...one} />)}
    </section>
  );
}

function Item({ id, text, action }: Toast) {
  const w = useWords(words);
  const [isHeld, setHeld] = useState(false);
  const hide = () => show(without(id));
  useEffect(() => {
    if (isHeld) return;
    const timer = setTimeout(() => show(without(id)), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id, isHeld]);
  return (
    <div
      data-toast={id}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      className="pointer-events-auto flex w-full items-center gap-1 rounded-md border border-line bg-panel py-2 pr-2 pl-4 text-sm shadow-lg transition-opacity duration-200 starting:opacity-0"
    >
      <p className="min-w-0 flex-1 font-medium [overflow-wrap:anywhere]">{text}</p>
      {action && (
        <Button
          size="small"
          look="quiet"
          className="!text-accent-ink"
          onClick={() => {
            hide();
            action.onClick();
          }}
        >
          {action.label}
        </Button>
      )}
      <IconButton size="small" label={w.dismiss} icon={<X className="size-4" aria-hidden />} onClick={hide} />
    </div>
  );
}
