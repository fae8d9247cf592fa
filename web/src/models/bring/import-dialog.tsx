import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, bodyOf, type ErrorBody, got } from "~/api/client";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { ErrorNote, Note, Skeleton } from "~/ui/notes";
import { isNonCommercial } from "../license";
import { LicensePromise } from "../license-promise";
import { type Brought, broughtBy } from "./brought";
import { Choice } from "./choice";
import { useImporting } from "./importing";
import { Sending } from "./sending";
import { NotATar } from "./tar";
import { words } from "./words";

interface Props {
  brought: readonly Brought[];
  pickMore: () => void;
  close: () => void;
}

/** From files to an installed model: which one they are, what is missing, then on their way. */
export default function ImportDialog({ brought, pickMore, close }: Props) {
  const w = useWords(words);
  const format = useFormats();
  const [chosen, setChosen] = useState("");
  const [promised, setPromised] = useState("");
  const { step, start, stop } = useImporting();
  const found = useQuery({
    // Of files there is nothing else to know them by without reading them all.
    queryKey: ["identify", brought.map(({ name, content }) => [name, content.size])],
    queryFn: async () => {
      const files = await broughtBy(brought);
      if (files.length === 0) return { files, models: [], unknown: [], hint: w.noFiles };
      const body = { files: files.map(({ name, content }) => ({ name, size_bytes: content.size })) };
      return { files, ...(await got(api.POST("/api/models/identify", { body }))) };
    },
    gcTime: 0,
    staleTime: Infinity,
    retry: false,
  });
  const model = found.data?.models.find(({ id }) => id === chosen) ?? found.data?.models[0];
  const needsPromise = model !== undefined && isNonCommercial(model.license);
  const bytes = (found.data?.files ?? [])
    .filter((file) => model?.files.some(({ name }) => name === file.name))
    .reduce((sum, file) => sum + file.content.size, 0);
  const isAtWork = step.at === "sending" || step.at === "installing";
  const error = step.at === "failed" ? step.error : found.error ? identifyError(found.error, w.notATar) : null;
  const begin = () => model && found.data && void start(model, found.data.files);
  return (
    <Dialog
      open
      wide
      // Work that goes on is ended by its own button, never by a stray Escape.
      onOpenChange={() => isAtWork || close()}
      title={w.importTitle}
      description={w.importLead}
      actions={
        isAtWork ? (
          <Button onClick={stop} disabled={step.at === "installing"}>{w.stop}</Button>
        ) : step.at === "done" ? (
          <Button look="primary" onClick={close}>{w.close}</Button>
        ) : (
          <>
            <Button onClick={pickMore}>{w.addFiles}</Button>
            {model && (
              <Button look="primary" disabled={!model.is_complete || (needsPromise && promised !== model.id)} onClick={begin}>
                {step.at === "failed" ? w.again : w.start(format.bytes(bytes))}
              </Button>
            )}
          </>
        )
      }
    >
      <div data-import={found.isPending ? "looking" : step.at} className="flex flex-col gap-4">
        {found.isPending && (
          <div aria-busy>
            <p role="status" className="sr-only">{w.looking}</p>
            <Skeleton className="h-24" />
          </div>
        )}
        {found.data && !model && (
          <Note tone="warning">
            <p className="font-medium">{w.unknownTitle}</p>
            <p className="break-words">{found.data.unknown.join(", ")}</p>
            {found.data.hint && <p className="text-soft">{found.data.hint}</p>}
          </Note>
        )}
        {found.data && model && (step.at === "choosing" || step.at === "failed") && (
          <>
            <Choice models={found.data.models} model={model} choose={setChosen} unknown={found.data.unknown} />
            {needsPromise && (
              <LicensePromise license={model.license} checked={promised === model.id} change={(on) => setPromised(on ? model.id : "")} />
            )}
          </>
        )}
        {model && <Sending step={step} id={model.id} />}
        {error && <ErrorNote error={error} />}
      </div>
    </Dialog>
  );
}

function identifyError(error: unknown, notATar: string): ErrorBody {
  const body = bodyOf(error);
  return error instanceof NotATar ? { ...body, code: "not_a_tar", message: notATar } : body;
}
