import { FileAudio, Mic, Square, Upload, X } from "~/ui/icons";
import { type DragEvent, useEffect, useRef, useState } from "react";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button, IconButton } from "~/ui/button";
import { classes } from "~/ui/classes";
import { TextArea } from "~/ui/field";
import { longestClipS, MAX_CLIP_BYTES, MIN_CLIP_S, needsTranscript } from "./ability";
import { choices } from "./choices";
import { BadClip, type Clip, CLIP_KINDS, type ClipFault, clipOf, lengthFault } from "./clip";
import { ClipPlay } from "./clip-play";
import { words } from "./clip-words";
import { hasMicrophone, LONGEST_S, Recorder } from "./recorder";
import { useStore } from "./store";

/** The voice to clone: a clip, and what is said in it. */
export function ClipField({ model }: { model: Model }) {
  const w = useWords(words);
  const format = useFormats();
  const { clip, transcript } = useStore(choices);
  const [bad, setBad] = useState<ClipFault | null>(null);
  const [isOver, setOver] = useState(false);
  const take = async (file: File | undefined) => {
    if (!file) return;
    try {
      choices.set({ clip: await clipOf(file) });
      setBad(null);
    } catch (error) {
      if (error instanceof BadClip) setBad(error.fault);
    }
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer.files[0]);
  };
  const fault = bad ?? (clip && lengthFault(clip, model));
  const [least, most] = [format.number(MIN_CLIP_S), format.number(longestClipS(model))];
  const size = format.bytes(MAX_CLIP_BYTES);
  const faultWord = { kind: w.kind, unreadable: w.unreadable, large: w.large(size), short: w.short(least), long: w.long(most) };
  return (
    <div role="group" aria-label={w.clip} className="flex min-w-0 flex-col gap-3">
      <div className="flex min-w-0 flex-col gap-1">
        <p aria-hidden className="text-[13px] font-medium text-soft">{w.clip}</p>
        <div
          data-drop
          onDragOver={(event) => (event.preventDefault(), setOver(true))}
          onDragLeave={() => setOver(false)}
          onDrop={onDrop}
          className={classes(
            "flex min-h-14 flex-wrap items-center gap-x-3 gap-y-2 rounded-md border border-dashed px-3 py-2",
            isOver ? "border-accent bg-accent-wash" : "border-line-strong",
          )}
        >
          {clip ? <Chosen clip={clip} /> : <Pick take={take} />}
        </div>
        {fault && <p role="alert" data-clip-fault={fault} className="text-[13px] font-medium text-danger">{faultWord[fault]}</p>}
        <p className="text-[13px] text-soft">
          {w.limits(least, most, size)} {w.consent}
        </p>
      </div>
      <TextArea
        label={w.transcript}
        help={needsTranscript(model) ? w.transcriptNeeded : w.transcriptOptional}
        rows={2}
        value={transcript}
        data-field="needsTranscript"
        onChange={(event) => choices.set({ transcript: event.target.value })}
      />
    </div>
  );
}

function Chosen({ clip }: { clip: Clip }) {
  const w = useWords(words);
  const format = useFormats();
  return (
    <>
      <FileAudio className="size-4 text-soft" aria-hidden />
      <span data-clip={clip.seconds ?? ""} className="min-w-0 flex-1 truncate text-sm">
        {clip.name}
        {clip.seconds !== null && (
          <span className="ml-2 text-soft">
            {w.seconds(format.number(clip.seconds, { minimumFractionDigits: 1, maximumFractionDigits: 1 }))}
          </span>
        )}
      </span>
      <span className="flex">
        <ClipPlay clip={clip} />
        <IconButton
          label={w.removeClip}
          data-field="needsClip"
          size="small"
          icon={<X className="size-4" aria-hidden />}
          onClick={() => choices.set({ clip: null })}
        />
      </span>
    </>
  );
}

function Pick({ take }: { take: (file: File | undefined) => Promise<void> }) {
  const w = useWords(words);
  const input = useRef<HTMLInputElement>(null);
  const [recorder] = useState(() => new Recorder((clip) => choices.set({ clip })));
  const { state, fault } = useStore(recorder);
  useEffect(() => () => recorder.leave(), [recorder]);
  if (state === "recording") return <Recording recorder={recorder} />;
  return (
    <>
      <span className="text-sm text-soft">{w.drop}</span>
      <input
        ref={input}
        type="file"
        accept={CLIP_KINDS}
        hidden
        onChange={(event) => {
          void take(event.target.files?.[0]);
          event.target.value = ""; // the same file may be chosen again
        }}
      />
      <Button
        size="small"
        data-field="needsClip"
        icon={<Upload className="size-4" aria-hidden />}
        onClick={() => input.current?.click()}
      >
        {w.choose}
      </Button>
      {hasMicrophone() && (
        <Button
          size="small"
          busy={state === "asking"}
          icon={<Mic className="size-4" aria-hidden />}
          onClick={() => void recorder.start()}
        >
          {state === "asking" ? w.ask : w.record}
        </Button>
      )}
      {!hasMicrophone() && <p data-microphone="missing" className="w-full text-[13px] text-soft">{w.noMicrophone}</p>}
      {fault && <p role="alert" data-microphone={fault} className="w-full text-[13px] font-medium text-danger">{w[fault]}</p>}
    </>
  );
}

function Recording({ recorder }: { recorder: Recorder }) {
  const w = useWords(words);
  const format = useFormats();
  const { seconds, level } = useStore(recorder);
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return (
    <>
      <Button size="small" autoFocus icon={<Square className="size-4 text-danger" aria-hidden />} onClick={recorder.stop}>
        {w.finish}
      </Button>
      <span
        role="meter"
        aria-label={w.level}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(level * 100)}
        data-recording={seconds}
        className="h-1.5 min-w-16 flex-1 overflow-hidden rounded-full bg-sunken"
      >
        <span className="block h-full origin-left rounded-full bg-accent" style={{ transform: `scaleX(${Math.sqrt(level)})` }} />
      </span>
      <span className="text-sm text-soft">{w.ofLongest(format.number(seconds, digits), format.number(LONGEST_S))}</span>
    </>
  );
}
