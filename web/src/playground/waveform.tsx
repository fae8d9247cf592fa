import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import type { Player } from "./player";
import { drawn } from "./draw";
import type { Recording } from "./recording";
import { useStore } from "./store";
import { words } from "./take-words";

const STEP_S = 1;
const LARGE_STEP = 0.1;

/** The sound as it arrives, where it is heard now, and a slider to hear it from elsewhere. */
export function Waveform({ recording, player }: { recording: Recording; player: Player }) {
  const w = useWords(words);
  const format = useFormats();
  const canvas = useRef<HTMLCanvasElement>(null);
  const seconds = useSeconds(recording, player, canvas);
  const all = recording.seconds;
  const digits = (value: number) => format.number(value, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const onKeyDown = (event: KeyboardEvent) => {
    const at = player.position();
    const target = {
      ArrowLeft: at - STEP_S, ArrowDown: at - STEP_S, ArrowRight: at + STEP_S, ArrowUp: at + STEP_S,
      PageDown: at - all * LARGE_STEP, PageUp: at + all * LARGE_STEP, Home: 0, End: all,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    player.seek(target);
  };
  const toPointer = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    player.seek(((event.clientX - box.left) / box.width) * recording.seconds);
  };
  return (
    <div>
      <div
        role="slider"
        tabIndex={0}
        aria-label={w.position}
        aria-valuemin={0}
        aria-valuemax={Math.round(all * 10) / 10}
        aria-valuenow={Math.round(seconds * 10) / 10}
        aria-valuetext={w.positionOf(digits(seconds), digits(all))}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          toPointer(event);
        }}
        onPointerMove={(event) => event.buttons === 1 && toPointer(event)}
        className="cursor-pointer touch-none rounded-sm"
      >
        <canvas ref={canvas} aria-hidden className="block h-24 w-full" />
      </div>
      <p aria-hidden className="mt-1 flex justify-between text-[13px] text-soft">
        <span>{clock(seconds, digits)}</span>
        <span>{clock(all, digits)}</span>
      </p>
    </div>
  );
}

/** 63.42 -> "1:03.4", with the language's own point. */
function clock(seconds: number, digits: (value: number) => string): string {
  const whole = Math.round(seconds * 10) / 10;
  const minutes = Math.floor(whole / 60);
  const rest = whole - minutes * 60;
  return `${minutes}:${rest < 10 ? "0" : ""}${digits(rest)}`;
}

/** Draws whatever changes, and tells the position in tenths: React need not know of every frame. */
function useSeconds(recording: Recording, player: Player, canvas: { current: HTMLCanvasElement | null }): number {
  const { state } = useStore(player);
  const [tenths, setTenths] = useState(0);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    let frame = 0;
    const show = () => {
      frame = 0;
      const seconds = player.position();
      drawn(element, recording, seconds);
      setTenths(Math.floor(seconds * 10));
      if (player.get().state === "playing") ask();
    };
    const ask = () => (frame ||= requestAnimationFrame(show));
    const sizes = new ResizeObserver(ask);
    sizes.observe(element);
    const themes = new MutationObserver(ask);
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const ends = [recording.subscribe(ask), player.subscribe(ask)];
    ask();
    return () => {
      cancelAnimationFrame(frame);
      sizes.disconnect();
      themes.disconnect();
      for (const end of ends) end();
    };
  }, [recording, player, canvas, state]);
  return Math.min(tenths / 10, recording.seconds);
}
