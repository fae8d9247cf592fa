import { Play, Square } from "~/ui/icons";
import { type KeyboardEvent, useRef, useState } from "react";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useLanguage } from "~/text/language";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { classes } from "~/ui/classes";
import { TextArea } from "~/ui/field";
import { clones, likelyLanguage, MAX_CHARACTERS } from "./ability";
import { Advanced } from "./advanced";
import { asked, choices, ofModel } from "./choices";
import { ClipField } from "./clip-field";
import { Failed } from "./failed";
import { Instructions } from "./instructions";
import { problemOf } from "./problem";
import { sampleIn } from "./samples";
import { useStore } from "./store";
import type { Studio } from "./studio";
import { Status } from "./status";
import { VoiceFields } from "./voice-fields";
import { words } from "./words";

interface Props {
  model: Model;
  able: readonly Model[];
  choose: (id: string) => void;
  studio: Studio;
}

/** Everything that is chosen before something is heard. */
export function Composer({ model, able, choose, studio }: Props) {
  const w = useWords(words);
  const format = useFormats();
  const all = useStore(choices);
  const { phase } = useStore(studio);
  const isQuiet = useStore(studio.player).state === "paused" && phase === "idle";
  const form = useRef<HTMLFormElement>(null);
  /** The model that was asked to speak: only then what it lacks is said. */
  const [checked, setChecked] = useState("");
  const chosen = ofModel(all, model);
  const sample = sampleIn(likelyLanguage(model, chosen.language, chosen.voice, useLanguage()));
  const problem = problemOf(all, model);
  const speak = () => {
    setChecked(model.id);
    if (problem) {
      form.current?.querySelector<HTMLElement>(`[data-field=${problem}]`)?.focus();
      return;
    }
    void studio.speak(asked(all, model, sample), model, clones(model) ? (all.clip?.file ?? null) : null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    speak();
  };
  return (
    <form
      ref={form}
      data-composer
      data-phase={phase}
      onKeyDown={onKeyDown}
      onSubmit={(event) => event.preventDefault()}
      className="flex min-w-0 flex-col gap-4 rounded-lg border border-line bg-panel p-4"
    >
      <VoiceFields model={model} able={able} choose={choose} chosen={chosen} />
      {clones(model) && <ClipField model={model} />}
      <Instructions model={model} chosen={chosen} />
      <Text sample={sample} />
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <Button look="primary" icon={<Play className="size-4" aria-hidden />} onClick={speak}>
          {w.speak}
        </Button>
        <Button
          icon={<Square className="size-4" aria-hidden />}
          aria-disabled={isQuiet}
          className="aria-disabled:opacity-55"
          onClick={() => studio.stop()}
        >
          {w.stop}
        </Button>
        <Status studio={studio} />
      </div>
      {checked === model.id && problem && (
        <p role="alert" data-problem={problem} className="-mt-1 text-sm font-medium text-danger">
          {problem === "tooLong" ? w.tooLong(format.number(MAX_CHARACTERS)) : w[problem]}
        </p>
      )}
      <Failed studio={studio} again={speak} />
      <Advanced model={model} />
    </form>
  );
}

function Text({ sample }: { sample: string }) {
  const w = useWords(words);
  const format = useFormats();
  const { text } = useStore(choices);
  const count = [...text].length;
  const isTooLong = count > MAX_CHARACTERS;
  return (
    <div className="relative">
      <TextArea
        label={w.text}
        rows={5}
        value={text}
        placeholder={sample}
        data-field="tooLong"
        aria-invalid={isTooLong || undefined}
        help={text.trim() ? " " : w.textHint}
        onChange={(event) => choices.set({ text: event.target.value })}
        className="max-h-[60vh] min-h-32 !text-[15px]"
      />
      <p
        data-count={count}
        className={classes("absolute top-0 right-0 text-[13px]", isTooLong ? "font-semibold text-danger" : "text-soft")}
      >
        <span className="sr-only">{w.characters(format.number(count), format.number(MAX_CHARACTERS))}</span>
        <span aria-hidden>
          {format.number(count)} / {format.number(MAX_CHARACTERS)}
        </span>
      </p>
    </div>
  );
}
