/** What is chosen on this page; remembered in this browser, but the clip, which is somebody's voice. */

import type { Model } from "~/live/state";
import type { Clip } from "./clip";
import { clones, designs, takesSeed, takesStyle } from "./ability";
import { Store } from "./store";

const KEY = "sirene.playground";

/** What each model is asked for in its own way. */
export interface OfModel {
  voice: string;
  /** Empty: the model finds out. */
  language: string;
  /** How to speak, or what voice to make. */
  instructions: string;
}

export interface Choices {
  model: string;
  ofModels: Record<string, OfModel>;
  speed: number;
  text: string;
  /** Empty: at random. */
  seed: string;
  transcript: string;
  clip: Clip | null;
}

/** One request, as it is sent, shown as a command and kept with its take. */
export interface Asked {
  model: string;
  text: string;
  voice: string;
  language: string;
  speed: number;
  instructions: string;
  seed: number | null;
  transcript: string;
}

const NOTHING: OfModel = { voice: "", language: "", instructions: "" };
const fresh: Choices = { model: "", ofModels: {}, speed: 1, text: "", seed: "", transcript: "", clip: null };

export const choices = new Store<Choices>({ ...fresh, ...remembered() });
choices.subscribe(() => {
  const { clip: _, ...kept } = choices.get();
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Private windows may refuse; the choices then last until the page is left.
  }
});

/** The choices for a model; a voice or language that it does not have (any more) is none. */
export function ofModel(all: Choices, model: Model): OfModel {
  const chosen = { ...NOTHING, ...all.ofModels[model.id] };
  const voices = model.voices.map((voice) => voice.id);
  if (!voices.includes(chosen.voice)) chosen.voice = voices[0] ?? "";
  if (!model.languages.includes(chosen.language)) chosen.language = "";
  return chosen;
}

export function chooseFor(model: Model, change: Partial<OfModel>): void {
  const { ofModels } = choices.get();
  choices.set({ ofModels: { ...ofModels, [model.id]: { ...NOTHING, ...ofModels[model.id], ...change } } });
}

/** What would be sent now; `sample` stands in where no text is written. */
export function asked(all: Choices, model: Model, sample: string): Asked {
  const chosen = ofModel(all, model);
  return {
    model: model.id,
    text: all.text.trim() ? all.text : sample,
    voice: chosen.voice,
    language: model.languages.length > 1 ? chosen.language : "",
    speed: all.speed,
    instructions: designs(model) || takesStyle(model) ? chosen.instructions.trim() : "",
    seed: takesSeed(model) && /^\d{1,15}$/.test(all.seed) ? Number(all.seed) : null,
    transcript: clones(model) ? all.transcript.trim() : "",
  };
}

/** The choices of an earlier take come back; the clip is not kept, so it stays as it is. */
export function reuse(take: Asked): void {
  const { ofModels } = choices.get();
  const { model, voice, language, instructions } = take;
  choices.set({
    model,
    ofModels: { ...ofModels, [model]: { voice, language, instructions } },
    speed: take.speed,
    text: take.text,
    seed: take.seed === null ? "" : String(take.seed),
    transcript: take.transcript,
  });
}

/** The fields of the API's request; what is the default is left out. clip: of ref_audio. */
export function fieldsOf(take: Asked): Record<string, string | number> {
  return {
    model: take.model,
    input: take.text,
    ...(take.voice && { voice: take.voice }),
    response_format: "wav",
    ...(take.speed !== 1 && { speed: take.speed }),
    ...(take.language && { language: take.language }),
    ...(take.instructions && { instructions: take.instructions }),
    ...(take.seed !== null && { seed: take.seed }),
    ...(take.transcript && { ref_text: take.transcript }),
  };
}

function remembered(): Partial<Choices> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    if (typeof found !== "object" || found === null) return {};
    const same = Object.entries(found).filter(
      ([key, value]) => key in fresh && key !== "clip" && typeof value === typeof fresh[key as keyof Choices],
    );
    return Object.fromEntries(same);
  } catch {
    return {};
  }
}
