import { memo, useId, useState } from "react";
import type { Model } from "~/live/state";
import { classes } from "~/ui/classes";
import { isActive } from "./filtering";
import { useOrders } from "./orders";
import { RowActions } from "./row-actions";
import { RowDetails } from "./row-details";
import { RowFacts, RowName } from "./row-facts";
import { RowTrouble } from "./row-trouble";
import { TransferLine } from "./transfer-line";

export interface RowProps {
  model: Model;
  /** Bytes that models may take; null: unknown. */
  memory: number | null;
  /** Place among those that wait, from 1. */
  place: number | undefined;
  /** Bytes that are left of a pull that ended. */
  partsBytes: number;
  /** Its family has several kinds, so each row says its own. */
  tellsKind: boolean;
  /** One of so many that those out of sight are better not laid out. */
  isOfMany: boolean;
}

/** One variant. Its own tick alone makes it anew. */
export const Row = memo(function Row({ model, memory, place, partsBytes, tellsKind, isOfMany }: RowProps) {
  const orders = useOrders(model.id);
  const [isOpen, setOpen] = useState(false);
  const detailsId = useId();
  return (
    <li
      data-model={model.id}
      data-state={model.state}
      tabIndex={-1}
      className={classes(
        "border-t border-line px-4 py-3 first:border-t-0",
        isOfMany && "[contain-intrinsic-size:auto_69px] [content-visibility:auto]",
      )}
    >
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 md:grid md:grid-cols-[minmax(0,1fr)_6rem_7.5rem_12.5rem]">
        <RowName model={model} tellsKind={tellsKind} partsBytes={partsBytes} />
        <RowFacts model={model} memory={memory} />
        <RowActions model={model} orders={orders} place={place} detailsId={detailsId} isOpen={isOpen} toggle={() => setOpen(!isOpen)} />
      </div>
      {isActive(model) && <TransferLine model={model} place={place} />}
      <RowTrouble model={model} orders={orders} partsBytes={partsBytes} />
      {isOpen && <RowDetails id={detailsId} model={model} orders={orders} partsBytes={partsBytes} />}
    </li>
  );
});
