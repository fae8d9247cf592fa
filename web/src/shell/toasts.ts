import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import type { State } from "~/live/state";
import { watch } from "~/live/store";
import { useWords } from "~/text/words";
import { toast } from "~/ui/toast";
import { words } from "./words";

const ENDS = ["installed", "failed"];

/** One toast for a pull that ended while this page was looking; a snapshot after a break tells none. */
export function useToasts(): void {
  const w = useWords(words);
  const navigate = useNavigate();
  useEffect(
    () =>
      watch((now, before) => {
        for (const model of ended(now, before)) {
          const failed = model.state === "failed";
          toast(failed ? w.pullFailed(model.id) : w.installed(model.id), {
            id: `${model.id}/${model.job}`,
            action: failed
              ? { label: w.look, onClick: () => void navigate({ to: "/", search: { q: model.id } }) }
              : { label: w.speak, onClick: () => void navigate({ to: "/playground", search: { model: model.id } }) },
          });
        }
      }),
    [w, navigate],
  );
}

function ended(now: State, before: State) {
  if (now.link !== "open" || before.link !== "open" || now.models === before.models) return [];
  const old = new Map(before.models?.map((model) => [model.id, model]));
  // Whatever it was before: of a short pull the stream may tell the end alone.
  return (now.models ?? []).filter((model) => {
    const was = old.get(model.id);
    return was && was !== model && was.state !== model.state && ENDS.includes(model.state);
  });
}
