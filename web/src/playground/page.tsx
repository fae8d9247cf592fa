import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { AudioLines } from "~/ui/icons";
import { useEffect, useState } from "react";
import type { Model } from "~/live/state";
import { useModels } from "~/live/store";
import { useWords } from "~/text/words";
import { Empty, Note, Skeleton } from "~/ui/notes";
import { Page } from "~/ui/page";
import { speakers } from "./ability";
import { choices } from "./choices";
import { Composer } from "./composer";
import { History } from "./history";
import { Programs } from "./programs";
import { Stage } from "./stage";
import { useStore } from "./store";
import { Studio } from "./studio";
import { words } from "./words";

export function PlaygroundPage() {
  const w = useWords(words);
  const models = useModels();
  const studio = useStudio();
  return (
    <Page title={w.title} lead={w.lead}>
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="flex min-w-0 flex-col gap-5">
          {models && studio ? <Speaking models={models} studio={studio} /> : <Skeleton className="h-[29rem]" />}
        </div>
        {studio && <History studio={studio} />}
      </div>
    </Page>
  );
}

function Speaking({ models, studio }: { models: readonly Model[]; studio: Studio }) {
  const w = useWords(words);
  const navigate = useNavigate();
  const linked = useSearch({ from: "/playground" }).model;
  const remembered = useStore(choices).model;
  const able = speakers(models);
  const named = (name: string | undefined) =>
    able.find((model) => model.id === name || (model.is_default && model.name === name));
  // Left to itself it is one that needs nothing but a text.
  const model = named(linked) ?? named(remembered) ?? able.find((one) => one.voices.length > 0) ?? able[0];
  const missing = linked !== undefined && !named(linked) ? linked : null;
  const toModels = (
    <Link to="/" {...(missing && { search: { q: missing } })} className="font-medium text-accent-ink underline">
      {w.toModels}
    </Link>
  );
  const choose = (id: string) => {
    choices.set({ model: id });
    void navigate({ to: "/playground", search: { model: id }, replace: true });
  };
  return (
    <>
      {missing && (
        <div role="status" data-missing={missing}>
          <Note tone="warning">
            {w.isMissing(missing)} {toModels}
          </Note>
        </div>
      )}
      {model ? (
        <>
          <Composer model={model} able={able} choose={choose} studio={studio} />
          <Stage studio={studio} />
          <Programs model={model} />
        </>
      ) : (
        <>
          <Empty
            icon={<AudioLines className="size-8" />}
            title={w.noModel}
            action={
              <Link
                to="/"
                className="inline-flex h-9 items-center rounded-md bg-accent px-3.5 text-sm font-medium text-on-accent hover:brightness-110"
              >
                {w.toModels}
              </Link>
            }
          >
            {w.noModelHint}
          </Empty>
          <Stage studio={studio} />
        </>
      )}
    </>
  );
}

/** Lives as long as the page is shown: leaving it ends the speech, here and on the server. */
function useStudio(): Studio | null {
  const [studio, setStudio] = useState<Studio | null>(null);
  useEffect(() => {
    const made = new Studio();
    setStudio(made);
    const leave = () => made.close();
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("pagehide", leave);
      made.close();
    };
  }, []);
  return studio;
}
