import { Download, Pause, Play, RotateCcw } from "~/ui/icons";
import { useEffect, useRef } from "react";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { Note } from "~/ui/notes";
import { save } from "./download";
import { Figures } from "./figures";
import { useStore } from "./store";
import type { Shown, Studio } from "./studio";
import { words } from "./take-words";
import { Waveform } from "./waveform";

/** Where a take is drawn, heard and taken away; it keeps its size while nothing is there. */
export function Stage({ studio }: { studio: Studio }) {
  const w = useWords(words);
  const { shown } = useStore(studio);
  const place = useRef<HTMLElement>(null);
  const recording = shown?.recording;
  useEffect(() => {
    // On a phone it lies below what is being read; elsewhere it is in view already, and nothing moves.
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (recording) place.current?.scrollIntoView({ block: "nearest", behavior: isStill ? "auto" : "smooth" });
  }, [recording]);
  return (
    <section
      ref={place}
      aria-label={w.player}
      data-stage={shown ? (shown.ending ?? "coming") : "empty"}
      className="min-h-52 scroll-mt-16 scroll-mb-20 rounded-lg border border-line bg-panel p-4"
    >
      {shown ? <Take shown={shown} studio={studio} /> : (
        <p className="grid min-h-44 place-items-center text-center text-sm text-soft">{w.nothingYet}</p>
      )}
    </section>
  );
}

function Take({ shown, studio }: { shown: Shown; studio: Studio }) {
  const w = useWords(words);
  const { recording, asked, ending, at } = shown;
  return (
    <div className="flex min-w-0 flex-col gap-3">
      <p className="truncate text-sm text-soft" title={asked.text}>
        <span className="font-medium text-ink">{asked.model}</span>
        {asked.voice && ` · ${asked.voice}`} · {asked.text}
      </p>
      <Waveform recording={recording} player={studio.player} />
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
        <PlayButton studio={studio} />
        <Figures shown={shown} />
        <Button
          size="small"
          className="ml-auto"
          disabled={ending === null}
          icon={<Download className="size-4" aria-hidden />}
          onClick={() => save(recording.from(0), recording.rate, asked, at)}
        >
          {/* Where there is little room the icon says it. */}
          <span>
            <span className="max-sm:sr-only">{w.download} </span>WAV
          </span>
        </Button>
      </div>
      {ending === "cut" && <div role="alert" data-cut><Note tone="warning">{w.cut}</Note></div>}
      {ending === "stopped" && <Note>{w.stopped}</Note>}
    </div>
  );
}

function PlayButton({ studio }: { studio: Studio }) {
  const w = useWords(words);
  const { player } = studio;
  const { state, finished } = useStore(player);
  const isPaused = state === "paused";
  const Icon = !isPaused ? Pause : finished ? RotateCcw : Play;
  return (
    <Button
      data-player={finished ? "finished" : state}
      icon={<Icon className="size-4" aria-hidden />}
      className="min-w-32"
      onClick={() => (isPaused ? player.play() : player.pause())}
    >
      {!isPaused ? w.pause : finished ? w.replay : w.play}
    </Button>
  );
}
