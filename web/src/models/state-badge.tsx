import { Check, CircleAlert, CirclePause, Clock } from "~/ui/icons";
import type { ReactNode } from "react";
import type { Model } from "~/live/state";
import { useWords } from "~/text/words";
import { Badge, type Tone } from "~/ui/badge";
import { words } from "./words";

const LOOKS: Record<Exclude<Model["state"], "absent">, [Tone, ReactNode]> = {
  queued: ["neutral", <Clock key="" className="size-3.5" aria-hidden />],
  downloading: ["neutral", null],
  paused: ["neutral", <CirclePause key="" className="size-3.5" aria-hidden />],
  verifying: ["neutral", null],
  installed: ["accent", <Check key="" className="size-3.5" aria-hidden />],
  damaged: ["danger", <CircleAlert key="" className="size-3.5" aria-hidden />],
  failed: ["danger", <CircleAlert key="" className="size-3.5" aria-hidden />],
};

export function StateBadge({ state }: { state: Model["state"] }) {
  const w = useWords(words);
  if (state === "absent") return null;
  const [tone, icon] = LOOKS[state];
  return (
    <Badge tone={tone}>
      {icon}
      {w[state]}
    </Badge>
  );
}
