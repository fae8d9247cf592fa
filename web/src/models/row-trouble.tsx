import { Link } from "@tanstack/react-router";
import { RotateCw, Wrench } from "lucide-react";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { ErrorNote } from "~/ui/notes";
import { type Orders } from "./orders";
import { words } from "./words";

const TOKEN_TROUBLE = ["hub_unauthorized", "hub_token_refused", "hub_forbidden"];

/** What went wrong with a model, or with what was asked for it; it stays until it is acted on. */
export function RowTrouble({ model, orders, partsBytes }: { model: Model; orders: Orders; partsBytes: number }) {
  const w = useWords(words);
  const format = useFormats();
  const isDamaged = model.state === "damaged";
  const isFailed = model.state === "failed";
  return (
    <>
      {model.error && (isDamaged || isFailed) && (
        <div className="mt-3">
          <ErrorNote
            error={model.error}
            actions={
              <>
                {isFailed && (
                  <Button size="small" icon={<RotateCw className="size-4" aria-hidden />} busy={orders.pending === "pull"} onClick={() => orders.give("pull")}>
                    {w.retry}
                  </Button>
                )}
                {isDamaged && (
                  <Button size="small" icon={<Wrench className="size-4" aria-hidden />} busy={orders.pending === "repair"} onClick={() => orders.give("repair")}>
                    {w.repair}
                  </Button>
                )}
                {isFailed && partsBytes > 0 && (
                  <Button size="small" busy={orders.pending === "deleteParts"} onClick={() => orders.give("deleteParts")}>
                    {w.removeParts(format.bytes(partsBytes))}
                  </Button>
                )}
                <SettingsLink code={model.error.code} />
              </>
            }
          />
          {isFailed && partsBytes > 0 && <p className="mt-1.5 text-[13px] text-soft">{w.keptForRetry(format.bytes(partsBytes))}</p>}
        </div>
      )}
      {orders.error && (
        <div className="mt-3">
          <ErrorNote error={orders.error} actions={<Button size="small" onClick={orders.forget}>{w.dismiss}</Button>} />
        </div>
      )}
    </>
  );
}

/** To where the token is entered, if that is what is missing. */
export function SettingsLink({ code }: { code: string }) {
  const w = useWords(words);
  if (!TOKEN_TROUBLE.includes(code)) return null;
  return (
    <Link
      to="/settings"
      className="inline-flex h-8 items-center rounded-md border border-line bg-panel px-2.5 text-[13px] font-medium hover:bg-sunken"
    >
      {w.openSettings}
    </Link>
  );
}
