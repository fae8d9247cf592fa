import type { ComponentProps, ReactNode } from "react";
import { LoaderCircle } from "~/ui/icons";
import { classes } from "./classes";

type Look = "primary" | "plain" | "quiet" | "danger";

const LOOKS: Record<Look, string> = {
  primary: "bg-accent text-on-accent border-transparent hover:brightness-110",
  plain: "bg-panel text-ink border-line hover:bg-sunken",
  quiet: "bg-transparent text-ink border-transparent hover:bg-sunken",
  danger: "bg-danger text-on-danger border-transparent hover:brightness-110",
};

interface Props extends ComponentProps<"button"> {
  look?: Look;
  size?: "small" | "medium";
  /** Shows that it is at work; it keeps its width and takes no second press. */
  busy?: boolean;
  icon?: ReactNode;
}

export function Button({ look = "plain", size = "medium", busy = false, icon, children, className, onClick, ...rest }: Props) {
  return (
    <button
      type="button"
      // Not disabled while it is at work: that would take the focus away from whoever pressed it.
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={busy ? undefined : onClick}
      className={classes(
        "inline-flex items-center justify-center gap-1.5 rounded-md border font-medium whitespace-nowrap",
        "transition-colors disabled:cursor-default disabled:opacity-55 aria-disabled:cursor-default",
        size === "small" ? "h-8 px-2.5 text-[13px]" : "h-9 px-3.5 text-sm",
        LOOKS[look],
        className,
      )}
      {...rest}
    >
      {busy ? <LoaderCircle className="size-4 animate-spin" aria-hidden /> : icon}
      {children}
    </button>
  );
}

interface IconButtonProps extends Omit<Props, "children" | "icon"> {
  /** What it does; read aloud, and shown on hover. */
  label: string;
  icon: ReactNode;
}

export function IconButton({ label, icon, size = "medium", look = "quiet", className, ...rest }: IconButtonProps) {
  return (
    <Button
      look={look}
      size={size}
      aria-label={label}
      title={label}
      icon={icon}
      className={classes("shrink-0 !px-0", size === "small" ? "w-8" : "w-9", className)}
      {...rest}
    />
  );
}
