import { ChevronDown, ChevronUp } from "~/ui/icons";
import { memo, useState } from "react";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useLanguage } from "~/text/language";
import { useWords } from "~/text/words";
import { Badge } from "~/ui/badge";
import { Button } from "~/ui/button";
import { holdSame, shownAtFirst, titleOf } from "./families";
import { Row } from "./row";
import { kindName } from "./row-facts";
import { words } from "./words";

interface Props {
  name: string;
  models: readonly Model[];
  memory: number | null;
  places: Readonly<Record<string, number>>;
  parts: Readonly<Record<string, number>>;
  /** Somebody looks for something: then more than the first few are shown. */
  isSearch: boolean;
}

const SHOWN_IN_SEARCH = 30;

/** A model with its variants. A large one shows what matters here first: its rest is a button away. */
export const Family = memo(function Family({ name, models, memory, places, parts, isSearch }: Props) {
  const w = useWords(words);
  const format = useFormats();
  const language = useLanguage();
  const [isOpen, setOpen] = useState(false);
  const first = isSearch ? models.slice(0, SHOWN_IN_SEARCH) : shownAtFirst(models, language);
  const shown = isOpen ? models : first;
  const one = models[0];
  if (!one) return null;
  const capabilities = [...new Set(models.flatMap((model) => model.capabilities))];
  const licenses = [...new Set(models.map((model) => model.license))];
  const { title, lead } = titleOf(one);
  const listId = `family-${name}`;
  return (
    <section aria-labelledby={`${listId}-name`} data-family={name} className="overflow-clip rounded-lg border border-line bg-panel">
      <header className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2 border-b border-line px-4 py-3">
        <div className="min-w-0">
          <h2 id={`${listId}-name`} className="text-base font-semibold">{title}</h2>
          <p className="text-sm text-soft">{lead}</p>
        </div>
        <div className="flex flex-wrap items-center gap-1.5">
          {capabilities.map((capability) => (
            <Badge key={capability} title={helpOf(capability, w)}>{kindName(capability, w)}</Badge>
          ))}
          <span className="ml-1 text-[13px] text-soft" title={licenses.join("\n")}>
            {licenses.length === 1 ? licenses[0] : w.severalLicenses(format.number(licenses.length))}
          </span>
        </div>
      </header>
      <ul id={listId} aria-labelledby={`${listId}-name`}>
        {shown.map((model) => (
          <Row
            key={model.id}
            model={model}
            memory={memory}
            place={places[model.id]}
            partsBytes={parts[model.id] ?? 0}
            tellsKind={capabilities.length > 1}
            isOfMany={shown.length > SHOWN_IN_SEARCH}
          />
        ))}
      </ul>
      {first.length < models.length && (
        <footer className="flex items-center justify-between gap-3 border-t border-line px-4 py-2 text-[13px] text-soft">
          <span>{w.shownOf(format.number(shown.length), format.number(models.length))}</span>
          <Button
            size="small"
            look="quiet"
            aria-expanded={isOpen}
            aria-controls={listId}
            icon={isOpen ? <ChevronUp className="size-4" aria-hidden /> : <ChevronDown className="size-4" aria-hidden />}
            onClick={() => setOpen(!isOpen)}
          >
            {isOpen ? w.showFewer : w.showAll(format.number(models.length))}
          </Button>
        </footer>
      )}
    </section>
  );
}, isSameFamily);

function isSameFamily(one: Props, other: Props): boolean {
  return (
    holdSame(one.models, other.models) &&
    one.memory === other.memory &&
    one.places === other.places &&
    one.parts === other.parts &&
    one.isSearch === other.isSearch
  );
}

function helpOf(capability: string, w: { presetHelp: string; cloningHelp: string; designHelp: string }): string | undefined {
  return { preset: w.presetHelp, cloning: w.cloningHelp, design: w.designHelp }[capability];
}
