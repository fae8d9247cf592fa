import { CircleAlert, Info } from "~/ui/icons";
import type { ReactNode } from "react";
import type { ErrorBody } from "~/api/client";
import { useErrorText } from "~/text/errors";
import { classes } from "./classes";

/** What went wrong: what, why and what to do; it stays until it is acted on. */
export function ErrorNote({ error, actions }: { error: ErrorBody; actions?: ReactNode }) {
  const { title, hint } = useErrorText(error);
  return (
    <div role="alert" data-error={error.code} className="flex gap-2.5 rounded-md bg-danger-wash px-3 py-2.5 text-sm">
      <CircleAlert className="mt-0.5 size-4 shrink-0 text-danger" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="font-semibold text-danger">{title}</p>
        {error.message.toLowerCase() !== title.toLowerCase() && <p className="mt-0.5 break-words first-letter:uppercase">{error.message}</p>}
        {hint && <p className="mt-0.5 break-words text-soft">{hint}</p>}
        {actions && <div className="mt-2 flex flex-wrap gap-2">{actions}</div>}
      </div>
    </div>
  );
}

export function Note({ tone = "neutral", children, className }: { tone?: "neutral" | "warning"; children: ReactNode; className?: string }) {
  return (
    <div
      className={classes(
        "flex gap-2.5 rounded-md px-3 py-2.5 text-sm",
        tone === "warning" ? "bg-warning-wash" : "bg-sunken",
        className,
      )}
    >
      <Info className={classes("mt-0.5 size-4 shrink-0", tone === "warning" ? "text-warning" : "text-soft")} aria-hidden />
      <div className="min-w-0 flex-1">{children}</div>
    </div>
  );
}

/** Where there is nothing yet: what would be here, and the way to it. */
export function Empty({ icon, title, children, action }: { icon: ReactNode; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-2 rounded-lg border border-dashed border-line px-6 py-12 text-center">
      <span className="text-soft" aria-hidden>{icon}</span>
      <p className="font-semibold">{title}</p>
      {children && <div className="max-w-prose text-sm text-soft">{children}</div>}
      {action && <div className="mt-2">{action}</div>}
    </div>
  );
}

/** Holds the place of what has not come yet, in its size, so that nothing jumps. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={classes("animate-pulse rounded-md bg-sunken", className)} />;
}
