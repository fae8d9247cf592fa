/** What a model can be asked for. */

import type { Model } from "~/live/state";

export const MAX_CHARACTERS = 4096;
export const MAX_CLIP_BYTES = 4 * 1024 * 1024;
export const MIN_CLIP_S = 1;

export const clones = (model: Model): boolean => model.capabilities.includes("cloning");
export const designs = (model: Model): boolean => model.capabilities.includes("design");
export const needsTranscript = (model: Model): boolean => model.backend === "f5tts";
export const longestClipS = (model: Model): number => (model.backend === "f5tts" ? 15 : 30);

/** Preset voices that follow a style; Qwen's small preset model was not trained to. */
export const takesStyle = (model: Model): boolean =>
  model.backend === "qwen" && model.capabilities.includes("preset") && !model.variant.startsWith("0.6B");

/** Engines that draw at random, so that a seed tells takes apart. */
export const takesSeed = (model: Model): boolean => model.backend === "qwen" || model.backend === "f5tts";

export function isLoaded(model: Model | undefined): boolean {
  return model?.loaded.some((loaded) => loaded.state === "loaded") ?? false;
}

/** Those that can speak; in memory first, each group in the catalogue's order. */
export function speakers(models: readonly Model[]): readonly Model[] {
  const installed = models.filter((model) => model.state === "installed");
  return [...installed.filter(isLoaded), ...installed.filter((model) => !isLoaded(model))];
}

/** The language that a text is most likely in: the chosen one, the voice's, the page's, the model's first. */
export function likelyLanguage(model: Model, language: string, voice: string, page: string): string {
  const spoken = (tag: string) => model.languages.find((one) => one.split("-")[0] === tag);
  const ofVoice = model.voices.find((one) => one.id === voice)?.language;
  return language || ofVoice || spoken(page) || spoken("en") || model.languages[0] || "en";
}
