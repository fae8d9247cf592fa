import { type RefObject, useLayoutEffect, useRef } from "react";

/** For one of several alike that may go while it has the focus: a neighbour's last button gets it, else the page. */
export function useHandedOnFocus<T extends HTMLElement>(): RefObject<T | null> {
  const ref = useRef<T>(null);
  useLayoutEffect(() => {
    const mine = ref.current;
    return () => {
      if (mine?.contains(document.activeElement)) heir(mine)?.focus({ preventScroll: true });
    };
  }, []);
  return ref;
}

function heir(gone: HTMLElement): HTMLElement | null {
  const neighbour = gone.nextElementSibling ?? gone.previousElementSibling;
  return [...(neighbour?.querySelectorAll<HTMLElement>("button") ?? [])].at(-1) ?? document.getElementById("content");
}
