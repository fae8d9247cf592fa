/** The space for models, as those tell that write to it. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { watch } from "~/live/store";
import { api, got } from "./client";
import type { components } from "./schema";

export type Volume = components["schemas"]["VolumeView"];

const EVERY_MS = 30_000;
const KEY = ["storage"];

/** The volume with the least room for another pull; undefined until it is known. */
export function useStorage(): Volume | undefined {
  const queries = useQueryClient();
  // An install or a removal changes it by more than a pull does in half a minute.
  useEffect(
    () =>
      watch((now, before) => {
        if (now.models === before.models || !before.models) return;
        const was = new Map(before.models.map((model) => [model.id, model.state]));
        const changed = now.models?.some(({ id, state }) => was.get(id) !== state && (state === "installed" || state === "absent"));
        if (changed) void queries.invalidateQueries({ queryKey: KEY });
      }),
    [queries],
  );
  const { data } = useQuery({
    queryKey: KEY,
    queryFn: () => got(api.GET("/api/storage")),
    refetchInterval: EVERY_MS,
  });
  return [...(data?.volumes ?? [])].sort((a, b) => roomOf(a) - roomOf(b))[0];
}

/** Bytes that a new pull can take. */
export function roomOf(volume: Volume): number {
  return Math.max(0, volume.free_bytes - volume.reserved_bytes);
}

const LITTLE_BYTES = 2e9;
const LITTLE_SHARE = 0.02;

/** Whether a larger model may find no room. */
export function isLow(volume: Volume): boolean {
  return roomOf(volume) < Math.max(LITTLE_BYTES, volume.total_bytes * LITTLE_SHARE);
}
