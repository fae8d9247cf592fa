import { Link } from "@tanstack/react-router";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { ErrorNote } from "~/ui/notes";
import { buttonLink } from "./button-link";
import type { Orders } from "./orders";
import { words } from "./words";

const needsToken = (code: string): boolean => ["hub_unauthorized", "hub_token_refused", "hub_forbidden"].includes(code);

/** What went wrong with a model, or with what was asked for it; it stays until it is acted on. */
export function RowTrouble({ model, orders, partsBytes }: { model: Model; orders: Orders; partsBytes: number }) {
  const w = useWords(words);
  const format = useFormats();
  const isFailed = model.state === "failed";
  const keepsParts = isFailed && partsBytes > 0;
  return (
    <>
      {model.error && (isFailed || model.state === "damaged") && (
        <div className="mt-3">
          <ErrorNote
            error={model.error}
            actions={
              isFailed && (
                <>
                  <SettingsLink code={model.error.code} />
                  <Button size="small" busy={orders.pending === "forget"} onClick={() => orders.give("forget")}>
                    {keepsParts ? w.removeParts(format.bytes(partsBytes)) : w.dismiss}
                  </Button>
                </>
              )
            }
          />
          {keepsParts && <p className="mt-1.5 text-[13px] text-soft">{w.keptForRetry(format.bytes(partsBytes))}</p>}
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
  if (!needsToken(code)) return null;
  return (
    <Link to="/settings" className={buttonLink}>
      {w.openSettings}
    </Link>
  );
}
