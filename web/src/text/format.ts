/** Numbers as people read them, in the chosen language. Bytes are decimal, as the API and the CLI tell them. */

import { useMemo } from "react";
import { type Language, useLanguage } from "./language";

const STEPS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

export function formatsOf(language: Language) {
  // Making one costs far more than using it, and a page of numbers uses few different ones.
  const known = new Map<string, Intl.NumberFormat>();
  const number = (value: number, options?: Intl.NumberFormatOptions) => {
    const key = JSON.stringify(options ?? null);
    const format = known.get(key) ?? new Intl.NumberFormat(language, options);
    known.set(key, format);
    return format.format(value);
  };
  const names = new Intl.DisplayNames(language, { type: "language" });
  const bytes = (value: number): string => {
    const step = value < 1 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), STEPS.length - 1);
    const scaled = value / 1000 ** step;
    const digits = step < 2 || scaled >= 100 ? 0 : 1;
    return number(scaled, {
      style: "unit",
      unit: STEPS[step]!,
      unitDisplay: step === 0 ? "long" : "short",
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
  };
  return {
    number,
    bytes,
    /** Every byte, for those who ask for exactness. */
    exactBytes: (value: number) => number(value, { style: "unit", unit: "byte", unitDisplay: "long" }),
    speed: (bytesPerSecond: number) => `${bytes(bytesPerSecond)}/s`,
    percent: (value: number) => number(value / 100, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    /** 47 -> "47 s"; 190 -> "3 min 10 s"; 7300 -> "2 h 1 min". */
    duration(seconds: number): string {
      const whole = Math.max(0, Math.round(seconds));
      const unit = (value: number, unit: "second" | "minute" | "hour" | "day") =>
        number(value, { style: "unit", unit, unitDisplay: "narrow" });
      if (whole < 60) return unit(whole, "second");
      if (whole < 3600) return `${unit(Math.floor(whole / 60), "minute")} ${unit(whole % 60, "second")}`;
      if (whole < 86_400) return `${unit(Math.floor(whole / 3600), "hour")} ${unit(Math.floor((whole % 3600) / 60), "minute")}`;
      return `${unit(Math.floor(whole / 86_400), "day")} ${unit(Math.floor((whole % 86_400) / 3600), "hour")}`;
    },
    /** "en-US" -> "English (United States)". */
    languageName(tag: string): string {
      try {
        return names.of(tag) ?? tag;
      } catch {
        return tag;
      }
    },
    time: (at: number) => new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(at),
    dateTime: (at: number) =>
      new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(at),
  };
}

export type Formats = ReturnType<typeof formatsOf>;

export function useFormats(): Formats {
  const language = useLanguage();
  return useMemo(() => formatsOf(language), [language]);
}
