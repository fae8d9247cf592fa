/** The space for models. */

import { useQuery } from "@tanstack/react-query";

export interface Storage {
  total_bytes: number;
  free_bytes: number;
}

const EVERY_MS = 30_000;

export function useStorage(): Storage | undefined {
  return useQuery({
    queryKey: ["storage"],
    queryFn: async (): Promise<Storage> => ({ total_bytes: 0, free_bytes: 0 }),
    refetchInterval: EVERY_MS,
    enabled: false,
  }).data;
}
