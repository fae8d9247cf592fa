import { useQuery } from "@tanstack/react-query";
import { Download } from "~/ui/icons";
import { useState } from "react";
import { api, bodyOf, got } from "~/api/client";
import type { components } from "~/api/schema";
import type { Model } from "~/live/state";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { ErrorNote, Note, Skeleton } from "~/ui/notes";
import { words as ui } from "~/ui/words";
import { words } from "./dialog-words";
import { isNonCommercial } from "./license";
import { useOrders } from "./orders";
import { PreflightFacts } from "./preflight-facts";
import { LicensePromise } from "./license-promise";
import { SettingsLink } from "./row-trouble";

export type Preflight = components["schemas"]["PreflightView"];

/** What a pull would meet, before its first byte; and the licence, before anything is agreed to. */
export function InstallDialog({ model, close }: { model: Model; close: () => void }) {
  const w = useWords(words);
  const { cancel } = useWords(ui);
  const orders = useOrders(model.id);
  const [hasPromised, setPromised] = useState(false);
  const preflight = useQuery({
    queryKey: ["preflight", model.id],
    queryFn: async ({ signal }) =>
      (await got(
        api.POST("/api/models/{model_id}/pull", {
          params: { path: { model_id: model.id }, query: { dry_run: true } },
          signal,
        }),
      )) as Preflight,
    gcTime: 0,
    retry: false,
    // Whoever comes back from the hub's page or the settings in another tab has changed what is asked here.
    staleTime: 1000,
  });
  const told = preflight.data;
  const license = told?.license || model.license;
  const needsPromise = isNonCommercial(license);
  const error = orders.error ?? told?.error ?? (preflight.error && bodyOf(preflight.error));
  const isRefused = !told || told.error !== null || told.fits === false;
  return (
    <Dialog
      open
      onOpenChange={close}
      title={w.installTitle(model.id)}
      description={model.description}
      actions={
        <>
          <Button onClick={close}>{cancel}</Button>
          {isRefused && !preflight.isPending ? (
            <Button look="primary" busy={preflight.isFetching} onClick={() => void preflight.refetch()}>{w.checkAgain}</Button>
          ) : (
            <Button
              look="primary"
              icon={<Download className="size-4" aria-hidden />}
              disabled={isRefused || (needsPromise && !hasPromised)}
              busy={orders.pending === "pull"}
              onClick={() => orders.give("pull", close)}
            >
              {w.install}
            </Button>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-4" data-preflight={preflight.isPending ? "asking" : isRefused ? "refused" : "ready"}>
        {told ? (
          <PreflightFacts told={told} license={license} />
        ) : preflight.isPending ? (
          <div aria-busy>
            <p role="status" className="sr-only">{w.checking}</p>
            <Skeleton className="h-[10.5rem]" />
          </div>
        ) : null}
        {error && <ErrorNote error={error} actions={<SettingsLink code={error.code} />} />}
        {told?.fits_memory === false && <Note tone="warning">{w.memoryWarning}</Note>}
        {told && needsPromise && !told.error && (
          <LicensePromise license={license} checked={hasPromised} change={setPromised} />
        )}
      </div>
    </Dialog>
  );
}
