import { useState } from "react";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Input, Select } from "~/ui/field";
import { clones, designs, isLoaded } from "./ability";
import { choices, chooseFor, type OfModel } from "./choices";
import { useStore } from "./store";
import { words } from "./words";

interface Props {
  model: Model;
  able: readonly Model[];
  choose: (id: string) => void;
  chosen: OfModel;
}

export function VoiceFields({ model, able, choose, chosen }: Props) {
  const w = useWords(words);
  const groups = [
    { label: w.inMemory, models: able.filter(isLoaded) },
    { label: w.onDisk, models: able.filter((one) => !isLoaded(one)) },
  ].filter((group) => group.models.length > 0);
  return (
    <div className="grid gap-x-4 gap-y-3 sm:grid-cols-2">
      <Select label={w.model} value={model.id} onChange={(event) => choose(event.target.value)}>
        {groups.map((group) => (
          <optgroup key={group.label} label={group.label}>
            {group.models.map(({ id }) => <option key={id}>{id}</option>)}
          </optgroup>
        ))}
      </Select>
      <Voice model={model} chosen={chosen} />
      {model.languages.length > 1 && <Language model={model} chosen={chosen} />}
      <Speed />
    </div>
  );
}

function Voice({ model, chosen }: { model: Model; chosen: OfModel }) {
  const w = useWords(words);
  const format = useFormats();
  const { voices } = model;
  const nameless = clones(model) ? w.voiceCloned : designs(model) ? w.voiceDesigned : w.voiceOwn;
  return (
    <Select
      label={w.voice}
      value={chosen.voice}
      disabled={voices.length === 0}
      onChange={(event) => chooseFor(model, { voice: event.target.value })}
    >
      {voices.length === 0 && <option value="">{nameless}</option>}
      {voices.map((voice) => (
        <option key={voice.id} value={voice.id}>
          {voice.name || voice.id}
          {voice.language && ` · ${format.languageName(voice.language)}`}
        </option>
      ))}
    </Select>
  );
}

function Language({ model, chosen }: { model: Model; chosen: OfModel }) {
  const w = useWords(words);
  const format = useFormats();
  // Kokoro's voices each have a language of their own; the others look at the text.
  const unsaid = model.backend === "kokoro" ? w.languageOfVoice : w.languageOfText;
  const named = model.languages.map((tag) => ({ tag, name: format.languageName(tag) }));
  return (
    <Select label={w.language} value={chosen.language} onChange={(event) => chooseFor(model, { language: event.target.value })}>
      <option value="">{unsaid}</option>
      {named.sort((one, other) => one.name.localeCompare(other.name)).map(({ tag, name }) => (
        <option key={tag} value={tag}>{name}</option>
      ))}
    </Select>
  );
}

const [SLOWEST, FASTEST, STEP] = [0.25, 4, 0.05] as const;

function Speed() {
  const w = useWords(words);
  const { speed } = useStore(choices);
  /** What stands in the field while it is typed in: it may be no speed yet, like "0." */
  const [typed, setTyped] = useState<string | null>(null);
  const set = (value: number) => {
    if (value >= SLOWEST && value <= FASTEST) choices.set({ speed: Math.round(value * 100) / 100 });
  };
  const range = { min: SLOWEST, max: FASTEST, step: STEP };
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_5rem] items-end gap-x-3">
      <label className="flex min-w-0 flex-col gap-1 text-[13px] font-medium text-soft">
        {w.speed}
        <input
          type="range"
          {...range}
          value={speed}
          onChange={(event) => set(event.target.valueAsNumber)}
          className="h-9 w-full cursor-pointer accent-accent"
        />
      </label>
      <Input
        label={w.speedNumber}
        hideLabel
        type="number"
        {...range}
        step={0.01}
        value={typed ?? speed}
        onChange={(event) => {
          setTyped(event.target.value);
          set(event.target.valueAsNumber);
        }}
        onBlur={() => setTyped(null)}
      />
    </div>
  );
}
