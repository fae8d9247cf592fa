/** Which models a search leaves, and what there is to choose from. */

import type { Model, Replica } from "~/live/state";
import type { Formats } from "~/text/format";
import { isNonCommercial } from "./license";
import type { ModelsSearch } from "./search";

/** In the address: every licence that is not marked non-commercial. */
export const COMMERCIAL = "commercial";

export const baseLanguage = (tag: string): string => tag.split("-")[0] ?? tag;

export const isUsable = (model: Model): boolean =>
  model.state === "installed" || (isActive(model) && model.installed_bytes > 0);

export const isOnDisk = (model: Model): boolean => isUsable(model) || model.state === "damaged";

export const isActive = ({ state }: Model): boolean =>
  state === "queued" || state === "downloading" || state === "paused" || state === "verifying";

/** Bytes that the roomiest replica may give to models; null while none is known. */
export function memoryFor(replicas: readonly Replica[]): number | null {
  const rooms = replicas.flatMap((replica) => {
    const limits = Object.values(replica.memory_limits);
    return limits.length ? limits : [replica.memory_total_bytes];
  });
  return rooms.length ? Math.max(...rooms) : null;
}

export const fitsIn = (model: Model, memory: number | null): boolean | null =>
  model.memory_bytes === null || memory === null ? null : model.memory_bytes <= memory;

export function matching(models: readonly Model[], search: ModelsSearch, memory: number | null, formats: Formats): Model[] {
  const wanted = (search.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return models.filter(
    (model) =>
      (!search.installed || isOnDisk(model)) &&
      (!search.fits || fitsIn(model, memory) !== false) &&
      (!search.language || model.languages.some((tag) => baseLanguage(tag) === search.language)) &&
      (!search.capability || model.capabilities.includes(search.capability)) &&
      (!search.license ||
        (search.license === COMMERCIAL ? !isNonCommercial(model.license) : model.license === search.license)) &&
      (!wanted.length || holdsAll(textOf(model, formats), wanted)),
  );
}

const holdsAll = (text: string, wanted: string[]): boolean => wanted.every((word) => text.includes(word));

// What never changes of a model, by its id: a tick makes a new object of it, four times a second.
const texts = new Map<string, { formats: Formats; text: string }>();

function textOf(model: Model, formats: Formats): string {
  const known = texts.get(model.id);
  if (known?.formats === formats) return known.text;
  const text = [
    model.id,
    model.description,
    model.license,
    ...model.languages.flatMap((tag) => [tag, formats.languageName(tag)]),
    ...model.voices.map((voice) => voice.name),
  ]
    .join("\n")
    .toLowerCase();
  texts.set(model.id, { formats, text });
  return text;
}

export interface Choices {
  /** Codes without a region, by their names in the page's language. */
  languages: { code: string; name: string }[];
  capabilities: string[];
  licenses: string[];
}

export function choicesOf(models: readonly Model[], formats: Formats): Choices {
  const distinct = (values: string[]) => [...new Set(values)];
  const languages = distinct(models.flatMap((model) => model.languages.map(baseLanguage)));
  return {
    languages: languages
      .map((code) => ({ code, name: formats.languageName(code) }))
      .sort((one, other) => one.name.localeCompare(other.name)),
    capabilities: distinct(models.flatMap((model) => model.capabilities)),
    licenses: distinct(models.map((model) => model.license)).sort((one, other) => one.localeCompare(other)),
  };
}
