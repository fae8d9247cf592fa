import type { Model } from "~/live/state";
import { useWords } from "~/text/words";
import { Input } from "~/ui/field";
import { takesSeed } from "./ability";
import { choices } from "./choices";
import { useStore } from "./store";
import { words } from "./words";

export function Advanced({ model }: { model: Model }) {
  const w = useWords(words);
  const { seed } = useStore(choices);
  if (!takesSeed(model)) return null;
  return (
    <details open={seed !== "" || undefined} className="border-t border-line pt-3 text-sm">
      <summary className="-my-1 w-fit rounded-sm py-1 font-medium text-soft hover:text-ink">{w.advanced}</summary>
      <div className="mt-3 max-w-sm">
        <Input
          label={w.seed}
          help={w.seedHint}
          inputMode="numeric"
          value={seed}
          placeholder={w.seedRandom}
          data-field="badSeed"
          onChange={(event) => choices.set({ seed: event.target.value.trim() })}
        />
      </div>
    </details>
  );
}
