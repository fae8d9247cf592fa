/** What can be ordered for a model: each a request, whose effect comes back over the event stream. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, bodyOf, type ErrorBody, got } from "~/api/client";

export type Order = "pull" | "pause" | "resume" | "cancel" | "cancelKeeping" | "first" | "now" | "repair" | "deleteParts" | "forget";

function send(order: Order, id: string): Promise<unknown> {
  const params = { path: { model_id: id } };
  switch (order) {
    case "pull":
      return got(api.POST("/api/models/{model_id}/pull", { params }));
    case "pause":
      return got(api.POST("/api/models/{model_id}/pause", { params }));
    case "resume":
      return got(api.POST("/api/models/{model_id}/resume", { params }));
    case "cancel":
      return got(api.POST("/api/models/{model_id}/cancel", { params }));
    case "cancelKeeping":
      return got(api.POST("/api/models/{model_id}/cancel", { params: { ...params, query: { keep: true } } }));
    case "now":
      return got(api.POST("/api/models/{model_id}/resume", { params: { ...params, query: { now: true } } }));
    case "first":
      return got(api.POST("/api/models/{model_id}/first", { params }));
    case "repair":
      return got(api.POST("/api/models/{model_id}/repair", { params }));
    case "deleteParts":
      return deleteParts(id);
    case "forget":
      return forget(id);
  }
}

const deleteParts = (id: string) => got(api.DELETE("/api/downloads/parts", { params: { query: { model: id } } }));

/** What came of a pull that failed, on whichever machine it lies, and that it failed. */
async function forget(id: string): Promise<void> {
  await deleteParts(id);
  await got(api.DELETE("/api/models/{model_id}", { params: { path: { model_id: id } } }));
}

export interface Orders {
  give: (order: Order, then?: () => void) => void;
  /** The one that is on its way. */
  pending: Order | null;
  /** Why the last one was refused. */
  error: ErrorBody | null;
  forget: () => void;
}

export function useOrders(id: string): Orders {
  const queries = useQueryClient();
  const sending = useMutation({
    mutationFn: (order: Order) => send(order, id),
    onSuccess: (_, order) => {
      if (order === "first") void queries.invalidateQueries({ queryKey: ["downloads"] });
      if (order === "deleteParts" || order === "forget") void queries.invalidateQueries({ queryKey: ["parts"] });
    },
  });
  return {
    give: (order, then) => sending.mutate(order, then && { onSuccess: then }),
    pending: sending.isPending ? sending.variables : null,
    error: sending.error ? bodyOf(sending.error) : null,
    forget: sending.reset,
  };
}
