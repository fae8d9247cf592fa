/** What the services are set to. */

import { useQuery } from "@tanstack/react-query";
import { api, got } from "~/api/client";
import type { components } from "~/api/schema";

export type Downloader = components["schemas"]["DownloaderSettings"];
export type ReplicaSettings = components["schemas"]["ReplicaSettings"];

export const SETTINGS = ["settings"];

export function useSettings() {
  return useQuery({ queryKey: SETTINGS, queryFn: () => got(api.GET("/api/settings")) });
}
