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
  return [...families].map(([name, models]) => ({ name, models }));
}

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
