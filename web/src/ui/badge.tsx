import type { ReactNode } from "react";
import { classes } from "./classes";

export type Tone = "neutral" | "accent" | "warning" | "danger";

const TONES: Record<Tone, string> = {
  neutral: "bg-sunken text-soft",
  accent: "bg-accent-wash text-accent-ink",
  warning: "bg-warning-wash text-warning",
  danger: "bg-danger-wash text-danger",
};

export function Badge({ tone = "neutral", children, title }: { tone?: Tone; children: ReactNode; title?: string | undefined }) {
  return (
    <span
      title={title}
      className={classes("inline-flex h-[22px] items-center gap-1 rounded-sm px-1.5 text-xs font-medium whitespace-nowrap", TONES[tone])}
    >
      {children}
    </span>
  );
}
