/**
 * The UI's words in English and French.
 *
 * Each area keeps its own beside its views: `export const words = define({…}, {…})`, read by
 * `useWords(words)`. A word is a string or a function of what it tells about; TypeScript sees to it
 * that French has them all.
 */

import { useLanguage } from "./language";

type Word = string | ((...told: never[]) => string);
type Same<E> = { [K in keyof E]: E[K] extends (...told: infer A) => string ? (...told: A) => string : string };

export interface Dictionary<E> {
  en: E;
  fr: Same<E>;
}

export function define<const E extends Record<string, Word>>(en: E, fr: Same<E>): Dictionary<Same<E>> {
  return { en: en as unknown as Same<E>, fr: fr as unknown as Same<Same<E>> };
}

export function useWords<E>(dictionary: Dictionary<E>): E {
  return dictionary[useLanguage()] as E;
}
