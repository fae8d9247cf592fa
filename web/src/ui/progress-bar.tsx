import { classes } from "./classes";

interface Props {
  /** 0 to 100; null while the total is unknown. */
  percent: number | null;
  label: string;
  /** Nothing moves: paused, stalled or waiting. */
  still?: boolean;
}

/** Moves by transform alone, so that a tick costs no layout. */
export function ProgressBar({ percent, label, still = false }: Props) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent ?? undefined}
      aria-valuetext={percent === null ? undefined : `${Math.round(percent)} %`}
      className="h-1.5 w-full overflow-hidden rounded-full bg-sunken"
    >
      <div
        className={classes(
          "h-full w-full origin-left rounded-full transition-transform duration-300 ease-out",
          still ? "bg-line-strong" : "bg-accent",
          percent === null && !still && "animate-pulse",
        )}
        style={{ transform: `scaleX(${(percent ?? 100) / 100})` }}
      />
    </div>
  );
}
