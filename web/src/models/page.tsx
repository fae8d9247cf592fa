import { useNavigate, useSearch } from "@tanstack/react-router";
import { PackageOpen, SearchX } from "~/ui/icons";
import { useCallback, useMemo, useState } from "react";
import type { Model } from "~/live/state";
import { useModels, useOfReplicas } from "~/live/store";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { Empty } from "~/ui/notes";
import { Page } from "~/ui/page";
import { ImportFiles } from "./bring/drop-zone";
import { Ask, type Asked } from "./dialogs";
import { usePlaces, useParts, useQueue } from "./downloads";
import { familiesOf } from "./families";
import { Family } from "./family";
import { choicesOf, matching, memoryFor } from "./filtering";
import { Filters } from "./filters";
import { FirstRun } from "./first-run";
import { Leftovers } from "./leftovers";
import { Loading } from "./loading";
import { OpenDialog } from "./open-dialog";
import { QueuePanel } from "./queue-panel";
import type { ModelsSearch } from "./search";
import { words } from "./words";

export function ModelsPage() {
  const w = useWords(words);
  const models = useModels();
  const [asked, setAsked] = useState<Asked | null>(null);
  const close = useCallback(() => setAsked(null), []);
  return (
    <Page title={w.title} lead={w.lead} actions={<ImportFiles />}>
      <Ask value={setAsked}>
        {models === null ? <Loading /> : <Catalogue models={models} />}
        {asked && <OpenDialog {...asked} close={close} />}
      </Ask>
    </Page>
  );
}

function Catalogue({ models }: { models: readonly Model[] }) {
  const w = useWords(words);
  const format = useFormats();
  const search = useSearch({ from: "/" });
  const navigate = useNavigate({ from: "/" });
  const memory = useOfReplicas(memoryFor);
  const queue = useQueue();
  const places = usePlaces(queue);
  const parts = useParts();
  const ids = models.map((model) => model.id).join(" ");
  // What there is to choose from is of the catalogue, which no tick changes.
  const choices = useMemo(() => choicesOf(models, format), [ids, format]);
  const found = matching(models, search, memory, format);
  const isSearch = Object.keys(search).length > 0;
  const go = (next: ModelsSearch) => void navigate({ search: next, replace: true, resetScroll: false });
  const clear = () => go({});
  if (models.length === 0)
    return <Empty icon={<PackageOpen className="size-8" />} title={w.noModels}>{w.noModelsHint}</Empty>;
  return (
    <>
      <FirstRun models={models} />
      <QueuePanel queue={queue} places={places} />
      <Filters
        search={search}
        choices={choices}
        change={(changes) => go(without({ ...search, ...changes }))}
        clear={clear}
        found={(isSearch ? w.found : w.variants)(found.length, format.number(found.length))}
      />
      <div className="flex flex-col gap-5">
        {familiesOf(found).map((family) => (
          <Family key={family.name} {...family} memory={memory} places={places} parts={parts.byModel} isSearch={isSearch} />
        ))}
      </div>
      {found.length === 0 && (
        <Empty icon={<SearchX className="size-8" />} title={w.nothingFound} action={<Button onClick={clear}>{w.clear}</Button>}>
          {w.nothingFoundHint}
        </Empty>
      )}
      <Leftovers totalBytes={parts.totalBytes} />
    </>
  );
}

/** Without what is not set, so that the address is short. */
function without(search: Partial<Record<keyof ModelsSearch, string | boolean | undefined>>): ModelsSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as ModelsSearch;
}
