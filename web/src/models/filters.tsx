import { Check, Search, X } from "~/ui/icons";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { classes } from "~/ui/classes";
import { Select } from "~/ui/field";
import { type Choices, COMMERCIAL } from "./filtering";
import { kindName } from "./row-facts";
import type { ModelsSearch } from "./search";
import { words } from "./words";

interface Props {
  search: ModelsSearch;
  choices: Choices;
  change: (changes: Partial<Record<keyof ModelsSearch, string | boolean | undefined>>) => void;
  clear: () => void;
  /** How many were found, in words. */
  found: string;
}

export function Filters({ search, choices, change, clear, found }: Props) {
  const w = useWords(words);
  const isFiltered = Object.keys(search).length > 0;
  return (
    <search aria-label={w.filters} className="mb-4">
      <div className="grid grid-cols-2 gap-2 md:grid-cols-[minmax(12rem,1fr)_repeat(3,minmax(8rem,11rem))]">
        <SearchBox value={search.q ?? ""} change={(q) => change({ q: q || undefined })} />
        <Select hideLabel label={w.language} value={search.language ?? ""} onChange={(event) => change({ language: event.target.value || undefined })}>
          <option value="">{w.anyLanguage}</option>
          {choices.languages.map(({ code, name }) => <option key={code} value={code}>{name}</option>)}
        </Select>
        <Select hideLabel label={w.capability} value={search.capability ?? ""} onChange={(event) => change({ capability: event.target.value || undefined })}>
          <option value="">{w.anyCapability}</option>
          {choices.capabilities.map((one) => <option key={one} value={one}>{kindName(one, w)}</option>)}
        </Select>
        <div className="max-md:col-span-2">
          <Select hideLabel label={w.license} value={search.license ?? ""} onChange={(event) => change({ license: event.target.value || undefined })}>
            <option value="">{w.anyLicense}</option>
            <option value={COMMERCIAL}>{w.commercial}</option>
            {choices.licenses.map((one) => <option key={one} value={one}>{one}</option>)}
          </Select>
        </div>
      </div>
      <div className="mt-2 flex min-h-8 flex-wrap items-center gap-2">
        <Toggle pressed={search.installed ?? false} change={(on) => change({ installed: on || undefined })}>{w.installedOnly}</Toggle>
        <Toggle pressed={search.fits ?? false} change={(on) => change({ fits: on || undefined })}>{w.fitsOnly}</Toggle>
        {isFiltered && (
          <Button size="small" look="quiet" icon={<X className="size-4" aria-hidden />} onClick={clear}>{w.clear}</Button>
        )}
        <p role="status" data-found className="ml-auto text-[13px] text-soft">{found}</p>
      </div>
    </search>
  );
}

/** Keeps its own letters: the address follows them, and may come late. */
function SearchBox({ value, change }: { value: string; change: (value: string) => void }) {
  const w = useWords(words);
  const [text, setText] = useState(value);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (document.activeElement !== box.current) setText(value);
  }, [value]);
  return (
    <label className="relative col-span-2 block md:col-span-1">
      <span className="sr-only">{w.search}</span>
      <Search className="pointer-events-none absolute top-2.5 left-2.5 size-4 text-soft" aria-hidden />
      <input
        ref={box}
        type="search"
        value={text}
        placeholder={w.searchHint}
        onChange={(event) => {
          setText(event.target.value);
          change(event.target.value);
        }}
        className="h-9 w-full rounded-md border border-line-strong bg-panel pr-2.5 pl-8 text-sm text-ink"
      />
    </label>
  );
}

function Toggle({ pressed, change, children }: { pressed: boolean; change: (pressed: boolean) => void; children: ReactNode }) {
  return (
    <button
      type="button"
      aria-pressed={pressed}
      onClick={() => change(!pressed)}
      className={classes(
        "inline-flex h-8 items-center gap-1.5 rounded-full border px-3 text-[13px] font-medium",
        pressed ? "border-accent bg-accent-wash text-accent-ink" : "border-line bg-panel text-soft hover:text-ink",
      )}
    >
      {pressed && <Check className="size-4" aria-hidden />}
      {children}
    </button>
  );
}
