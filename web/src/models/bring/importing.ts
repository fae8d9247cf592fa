import { useCallback, useEffect, useRef, useState } from "react";
import { api, bodyOf, type ErrorBody, got } from "~/api/client";
import type { components } from "~/api/schema";
import type { Brought } from "./brought";
import { upload } from "./upload";

export type Fitting = components["schemas"]["FittingModel"];
type ImportView = components["schemas"]["ImportView"];

export type Step =
  | { at: "choosing" }
  | { at: "sending"; sentBytes: number; totalBytes: number; path: string }
  | { at: "installing" }
  | { at: "done"; view: ImportView }
  | { at: "failed"; error: ErrorBody };

/** Sends a model's files one after the other, then has them verified and installed. */
export function useImporting() {
  const [step, setStep] = useState<Step>({ at: "choosing" });
  const work = useRef<AbortController | null>(null);
  useEffect(() => () => work.current?.abort(), []);

  const start = useCallback(async (model: Fitting, brought: readonly Brought[]) => {
    const stop = (work.current = new AbortController());
    const files = model.files.flatMap(({ name, path }) => {
      const content = brought.find((file) => file.name === name)?.content;
      return content ? [{ path, content }] : [];
    });
    const totalBytes = files.reduce((sum, file) => sum + file.content.size, 0);
    let sentBefore = 0;
    try {
      for (const { path, content } of files) {
        const sent = (bytes: number) => setStep({ at: "sending", sentBytes: sentBefore + bytes, totalBytes, path });
        sent(0);
        await upload(model.id, path, content, { sent, signal: stop.signal });
        sentBefore += content.size;
      }
      setStep({ at: "installing" });
      const view = await got(
        api.POST("/api/models/{model_id}/import", { params: { path: { model_id: model.id } }, signal: stop.signal }),
      );
      setStep({ at: "done", view });
    } catch (error) {
      if (!stop.signal.aborted) setStep({ at: "failed", error: bodyOf(error) });
    }
  }, []);

  const stop = useCallback(() => {
    work.current?.abort();
    setStep({ at: "choosing" });
  }, []);
  return { step, start, stop };
}
