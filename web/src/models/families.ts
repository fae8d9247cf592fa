/** Models in their families, and which of a large family are shown before all are asked for. */

import type { Model } from "~/live/state";
import { baseLanguage } from "./filtering";

export interface FamilyOf {
  name: string;
  models: Model[];
}

export function familiesOf(models: readonly Model[]): FamilyOf[] {
  const families = new Map<string, Model[]>();
  for (const model of models) {
    const family = families.get(model.name);
    if (family) family.push(model);
    else families.set(model.name, [model]);
  }
  return [...families]
    .map(([name, models]) => ({ name, models }))
    .sort((one, other) => smallest(one.models) - smallest(other.models));
}

/** What is quick to try comes first: the families by their smallest model, whatever became of any here. */
const smallest = (models: readonly Model[]): number => Math.min(...models.map((model) => model.size_bytes ?? Infinity));

/** "Piper: small, fast voices" -> its name and what it is. */
export function titleOf(model: Model): { title: string; lead: string } {
  const [title, ...rest] = model.description.split(": ");
  return rest.length && title ? { title, lead: capital(rest.join(": ")) } : { title: model.name, lead: model.description };
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const SHOWN_AT_FIRST = 6;
/** Up to this many are all shown: a button that hides one or two is worse than they are. */
const SHOWN_ALL = 8;

/** At least what became of something here; then the reader's language, the default, and the first ones. */
export function shownAtFirst(models: readonly Model[], language: string): Model[] {
  if (models.length <= SHOWN_ALL) return [...models];
  const touched = models.filter((model) => model.state !== "absent" || model.loaded.length);
  const chosen = new Set(touched);
  const candidates = [
    ...models.filter((model) => model.languages.some((tag) => baseLanguage(tag) === language)),
    ...models.filter((model) => model.is_default),
    ...models,
  ];
  for (const model of candidates) {
    if (chosen.size >= Math.max(SHOWN_AT_FIRST, touched.length)) break;
    chosen.add(model);
  }
  return models.filter((model) => chosen.has(model));
}

/** Whether two lists hold the same objects: then a view of them need not be made anew. */
export function holdSame<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}
