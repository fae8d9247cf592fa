import type { Model } from "~/live/state";
import { useWords } from "~/text/words";
import { Input, TextArea } from "~/ui/field";
import { designs, takesStyle } from "./ability";
import { chooseFor, type OfModel } from "./choices";
import { words } from "./words";

/** What voice to make, or how a preset one shall speak; nothing for models that follow neither. */
export function Instructions({ model, chosen }: { model: Model; chosen: OfModel }) {
  const w = useWords(words);
  const common = {
    value: chosen.instructions,
    onChange: (event: { target: { value: string } }) => chooseFor(model, { instructions: event.target.value }),
  };
  if (designs(model))
    return (
      <TextArea
        label={w.design}
        help={w.designHint}
        rows={2}
        placeholder={w.designExample}
        data-field="needsInstructions"
        {...common}
      />
    );
  return takesStyle(model) ? <Input label={w.style} help={w.styleHint} {...common} /> : null;
}
