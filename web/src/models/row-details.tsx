import { FileCheck, Trash, Trash2 } from "~/ui/icons";
import type { ReactNode } from "react";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { CopyButton } from "~/ui/copy";
import { useAsk } from "./dialogs";
import type { Orders } from "./orders";
import { words } from "./words";

const VOICES_NAMED = 40;

/** What is looked up seldom, and done seldom. */
export function RowDetails({ id: htmlId, model, orders, partsBytes }: { id: string; model: Model; orders: Orders; partsBytes: number }) {
  const w = useWords(words);
  const format = useFormats();
  const ask = useAsk();
  const { id, state, voices } = model;
  const isOnDisk = state === "installed" || state === "damaged";
  const named = voices.slice(0, VOICES_NAMED).map((voice) => voice.name).join(", ");
  return (
    <div id={htmlId} data-details className="mt-3 rounded-md bg-sunken px-3 py-3">
      <dl className="grid gap-x-4 gap-y-1 text-[13px] sm:grid-cols-[auto_minmax(0,1fr)]">
        <Fact name={w.name}><code className="font-mono break-all select-all">{id}</code></Fact>
        <Fact name={w.languagesName}>{model.languages.map(format.languageName).join(", ")}</Fact>
        {named && <Fact name={w.voicesName}>{voices.length > VOICES_NAMED ? `${named}, …` : named}</Fact>}
        <Fact name={w.license}>{model.license}</Fact>
        {model.size_bytes !== null && <Fact name={w.size}>{format.exactBytes(model.size_bytes)}</Fact>}
        <Fact name={w.engine}>{model.backend}, {format.number(model.sample_rate)} Hz</Fact>
        {model.revision && <Fact name={w.revision}><code className="font-mono break-all">{model.revision}</code></Fact>}
      </dl>
      <div className="mt-3 flex flex-wrap gap-2">
        <CopyButton text={id} label={w.copyName} />
        {isOnDisk && (
          <Button size="small" icon={<FileCheck className="size-4" aria-hidden />} onClick={() => ask({ kind: "verify", id })}>
            {w.verify}
          </Button>
        )}
        {partsBytes > 0 && (
          <Button
            size="small"
            icon={<Trash className="size-4" aria-hidden />}
            busy={orders.pending === "deleteParts"}
            onClick={() => orders.give("deleteParts")}
          >
            {w.removeParts(format.bytes(partsBytes))}
          </Button>
        )}
        {isOnDisk && (
          <Button size="small" className="text-danger" icon={<Trash2 className="size-4" aria-hidden />} onClick={() => ask({ kind: "delete", id })}>
            {w.remove}
          </Button>
        )}
      </div>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-soft">{name}</dt>
      <dd className="min-w-0 max-sm:mb-1">{children}</dd>
    </>
  );
}
