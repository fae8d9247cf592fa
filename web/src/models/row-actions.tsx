import { Link } from "@tanstack/react-router";
import { AudioLines, ChevronDown, Download, type Icon, Pause, Play, RotateCw, Wrench, X, Zap } from "~/ui/icons";
import type { Model } from "~/live/state";
import { useWords } from "~/text/words";
import { Button, IconButton } from "~/ui/button";
import { classes } from "~/ui/classes";
import { useAsk } from "./dialogs";
import { buttonLink } from "./button-link";
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

interface Main {
  label: string;
  icon: Icon;
  order: Order | "ask";
}

/** One main action for each state, in one place: its button stays the same one, and so keeps the focus. */
export function RowActions({ model, orders, place, detailsId, isOpen, toggle }: Props) {
  const w = useWords(words);
  const ask = useAsk();
  const { id, state } = model;
  const main = mainAction(model, place ?? 1, w);
  const mayPauseToo = main?.order === "first" || main?.order === "now";
  return (
    <div className="ml-auto flex items-center justify-end gap-1 md:col-start-4 md:row-start-1">
      {main && (
        <Button
          size="small"
          icon={<main.icon className="size-4" aria-hidden />}
          busy={orders.pending === main.order}
          aria-label={main.order === "ask" ? w.installNamed(id) : w.actionOn(main.label, id)}
          onClick={() => (main.order === "ask" ? ask({ kind: "install", id }) : orders.give(main.order))}
        >
          {main.label}
        </Button>
      )}
      {state === "installed" && (
        <Link to="/playground" search={{ model: id }} aria-label={w.speakNamed(id)} className={buttonLink}>
          <AudioLines className="size-4" aria-hidden />
          {w.speak}
        </Link>
      )}
      {mayPauseToo && (
        <IconButton
          size="small"
          label={w.actionOn(w.pause, id)}
          busy={orders.pending === "pause"}
          icon={<Pause className="size-4" aria-hidden />}
          onClick={() => orders.give("pause")}
        />
      )}
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

/** null: an installed model's is to speak, which is a link. */
function mainAction({ state, reason }: Model, place: number, w: Record<MainWord, string>): Main | null {
  switch (state) {
    case "absent":
      return { label: w.install, icon: Download, order: "ask" };
    case "queued":
      if (reason) return { label: w.startNow, icon: Zap, order: "now" };
      return place > 1 ? { label: w.startFirst, icon: Zap, order: "first" } : { label: w.pause, icon: Pause, order: "pause" };
    case "downloading":
    case "verifying":
      return { label: w.pause, icon: Pause, order: "pause" };
    case "paused":
      return { label: w.resume, icon: Play, order: "resume" };
    case "failed":
      return { label: w.retry, icon: RotateCw, order: "pull" };
    case "damaged":
      return { label: w.repair, icon: Wrench, order: "repair" };
    case "installed":
      return null;
  }
}
type MainWord = "install" | "startNow" | "startFirst" | "pause" | "resume" | "retry" | "repair";

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
