import { Link } from "@tanstack/react-router";
import { AudioLines, ChevronDown, Download, Pause, Play, RotateCw, Wrench, X, Zap } from "lucide-react";
import type { ReactNode } from "react";
import type { Model } from "~/live/state";
import { useWords } from "~/text/words";
import { Button, IconButton } from "~/ui/button";
import { classes } from "~/ui/classes";
import { useAsk } from "./dialogs";
import { isActive } from "./filtering";
import type { Order, Orders } from "./orders";
import { words } from "./words";

interface Props {
  model: Model;
  orders: Orders;
  place: number | undefined;
  detailsId: string;
  isOpen: boolean;
  toggle: () => void;
}

/** One main action for each state, in one place, and what else there is beside it. */
export function RowActions({ model, orders, place, detailsId, isOpen, toggle }: Props) {
  const w = useWords(words);
  const ask = useAsk();
  const { id, state } = model;
  const order = (order: Order, label: string, icon: ReactNode) => (
    <Button
      size="small"
      icon={icon}
      busy={orders.pending === order}
      aria-label={w.actionOn(label, id)}
      onClick={() => orders.give(order)}
    >
      {label}
    </Button>
  );
  return (
    <div className="col-start-2 row-start-1 flex items-center justify-end gap-1 md:col-start-4">
      {state === "absent" && (
        <Button
          size="small"
          icon={<Download className="size-4" aria-hidden />}
          aria-label={w.installNamed(id)}
          onClick={() => ask({ kind: "install", id })}
        >
          {w.install}
        </Button>
      )}
      {state === "installed" && (
        <Link
          to="/playground"
          search={{ model: id }}
          aria-label={w.speakNamed(id)}
          className="inline-flex h-8 items-center gap-1.5 rounded-md border border-line bg-panel px-2.5 text-[13px] font-medium hover:bg-sunken"
        >
          <AudioLines className="size-4" aria-hidden />
          {w.speak}
        </Link>
      )}
      {state === "damaged" && order("repair", w.repair, <Wrench className="size-4" aria-hidden />)}
      {state === "failed" && order("pull", w.retry, <RotateCw className="size-4" aria-hidden />)}
      {state === "queued" && model.reason !== "" && order("now", w.startNow, <Zap className="size-4" aria-hidden />)}
      {state === "queued" && model.reason === "" && (place ?? 1) > 1 && order("first", w.startFirst, <Zap className="size-4" aria-hidden />)}
      {isActive(model) &&
        (state === "paused"
          ? order("resume", w.resume, <Play className="size-4" aria-hidden />)
          : order("pause", w.pause, <Pause className="size-4" aria-hidden />))}
      {isActive(model) && <CancelButton model={model} orders={orders} />}
      <IconButton
        size="small"
        label={w.actionOn(w.details, id)}
        aria-expanded={isOpen}
        aria-controls={detailsId}
        icon={<ChevronDown className={classes("size-4 transition-transform", isOpen && "rotate-180")} aria-hidden />}
        onClick={toggle}
      />
    </div>
  );
}

/** Asks what shall become of the bytes that came; where none came there is nothing to ask. */
export function CancelButton({ model, orders }: { model: Model; orders: Orders }) {
  const w = useWords(words);
  const ask = useAsk();
  const hasBytes = (model.transfer?.done_bytes ?? 0) > 0;
  return (
    <IconButton
      size="small"
      label={w.actionOn(w.cancel, model.id)}
      busy={orders.pending === "cancel"}
      icon={<X className="size-4" aria-hidden />}
      onClick={() => (hasBytes ? ask({ kind: "cancel", id: model.id }) : orders.give("cancel"))}
    />
  );
}
