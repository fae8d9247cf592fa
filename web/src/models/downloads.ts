/** The queue and what is left of pulls: asked again when the states of models change, which the stream tells. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { api, got } from "~/api/client";
import type { Model } from "~/live/state";
import { useModels } from "~/live/store";
import { isActive } from "./filtering";

// The stream does not tell when another tab puts the queue in another order.
const ORDER_MS = 5000;
const LET_GO_MS = 1000;

/** The pulls that are not finished: those at work, then those that wait, each in the order of the queue. */
export function useQueue(): readonly Model[] {
  const active = (useModels() ?? []).filter(isActive);
  const waiting = active.filter((model) => model.state === "queued");
  const { data } = useQuery({
    queryKey: ["downloads"],
    queryFn: () => got(api.GET("/api/downloads")),
    enabled: active.length > 0,
    refetchInterval: waiting.length > 1 ? ORDER_MS : false,
  });
  useAskedAgain("downloads", active);
  const order = useMemo(() => {
    const rows = data ? [...data.running, ...data.queued, ...data.paused] : [];
    return new Map(rows.map((row, index) => [row.id, index]));
  }, [data]);
  const rank = (model: Model) => RANKS[model.state] ?? 0;
  const place = (model: Model) => order.get(model.id) ?? order.size;
  return active.sort((one, other) => rank(one) - rank(other) || place(one) - place(other));
}

const RANKS: Partial<Record<Model["state"], number>> = { downloading: 0, verifying: 0, queued: 1, paused: 2 };

/** Place in the queue by id, from 1, of those that wait; the same object as long as the queue is. */
export function usePlaces(queue: readonly Model[]): Readonly<Record<string, number>> {
  const ids = queue.filter((model) => model.state === "queued").map((model) => model.id);
  const key = ids.join(" ");
  return useMemo(() => Object.fromEntries(key.split(" ").map((id, index) => [id, index + 1])), [key]);
}

export interface Parts {
  /** Bytes by model, of what no pull uses. */
  byModel: Readonly<Record<string, number>>;
  totalBytes: number;
}

export function useParts(): Parts {
  const models = useModels();
  const atWork = new Set((models ?? []).filter(isActive).map((model) => model.id));
  const { data } = useQuery({
    queryKey: ["parts"],
    queryFn: () => got(api.GET("/api/downloads/parts")),
    enabled: models !== null,
    // A pull that has just ended may still hold its part: the stream tells no more of it.
    refetchInterval: ({ state }) => (state.data?.parts.some(({ id, in_use }) => in_use && !atWork.has(id)) ? LET_GO_MS : false),
  });
  useAskedAgain("parts", (models ?? []).filter((model) => model.state !== "absent"));
  return useMemo(() => {
    const byModel: Record<string, number> = {};
    for (const part of data?.parts ?? [])
      if (!part.in_use) byModel[part.id] = (byModel[part.id] ?? 0) + part.size_bytes;
    return { byModel, totalBytes: Object.values(byModel).reduce((sum, bytes) => sum + bytes, 0) };
  }, [data]);
}

/** Asks again for `key` when one of these models gets another state. */
function useAskedAgain(key: string, models: readonly Model[]): void {
  const queries = useQueryClient();
  const states = models.map((model) => `${model.id}/${model.job}/${model.state}`).join(" ");
  useEffect(() => void queries.invalidateQueries({ queryKey: [key] }), [queries, key, states]);
}
