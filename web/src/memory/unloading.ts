/** Frees memory, and tells what it gave back. */

import { useMutation } from "@tanstack/react-query";
import { api, ApiError, got } from "~/api/client";
import type { components } from "~/api/schema";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { toast } from "~/ui/toast";
import { words } from "./words";

export interface Unload {
  /** null: everything. */
  id: string | null;
  force: boolean;
}

type Answer = components["schemas"]["UnloadAnswer"];

/** Its error is an ApiError, also when only one replica has failed. */
export function useUnload() {
  const w = useWords(words);
  const format = useFormats();
  return useMutation({
    mutationFn: async ({ id, force }: Unload): Promise<Answer> => {
      const answer = await got(api.POST("/models/unload", { body: { model: id, all: id === null, force } }));
      const [wrong] = answer.errors;
      if (wrong && answer.unloaded.length === 0) throw new ApiError(wrong.error, 200);
      return answer;
    },
    onSuccess: ({ unloaded }) => {
      const [first] = unloaded;
      const freed = format.bytes(unloaded.reduce((sum, one) => sum + one.freed_bytes, 0));
      if (!first) toast(w.nothingToFree);
      else if (unloaded.length === 1) toast(w.freed(first.id, freed));
      else toast(w.freedAll(unloaded.length, freed));
    },
  });
}
