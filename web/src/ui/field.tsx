import { ChevronDown } from "~/ui/icons";
import { type ComponentProps, type ReactNode, useId } from "react";
import { classes } from "./classes";

const BOX =
  "h-9 w-full rounded-md border border-line-strong bg-panel px-2.5 text-sm text-ink disabled:opacity-55";

interface Labelled {
  label: string;
  /** One line under the control. */
  help?: ReactNode;
  /** The label is read aloud, but not shown. */
  hideLabel?: boolean;
}

function Frame({ id, label, help, hideLabel, children }: Labelled & { id: string; children: ReactNode }) {
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <label htmlFor={id} className={hideLabel ? "sr-only" : "text-[13px] font-medium text-soft"}>
        {label}
      </label>
      {children}
      {help && <p id={`${id}-help`} className="text-[13px] text-soft">{help}</p>}
    </div>
  );
}

export function Input({ label, help, hideLabel, className, ...rest }: Labelled & ComponentProps<"input">) {
  const id = useId();
  return (
    <Frame id={id} {...{ label, help, hideLabel: hideLabel ?? false }}>
      <input id={id} aria-describedby={help ? `${id}-help` : undefined} className={classes(BOX, className)} {...rest} />
    </Frame>
  );
}

/** The system's own select: it is known to every hand, keyboard and screen reader. */
export function Select({ label, help, hideLabel, className, children, ...rest }: Labelled & ComponentProps<"select">) {
  const id = useId();
  return (
    <Frame id={id} {...{ label, help, hideLabel: hideLabel ?? false }}>
      <span className="relative block">
        <select id={id} aria-describedby={help ? `${id}-help` : undefined} className={classes(BOX, "appearance-none pr-8 text-ellipsis", className)} {...rest}>
          {children}
        </select>
        <ChevronDown aria-hidden className="pointer-events-none absolute top-2.5 right-2.5 size-4 text-soft" />
      </span>
    </Frame>
  );
}

export function TextArea({ label, help, hideLabel, className, ...rest }: Labelled & ComponentProps<"textarea">) {
  const id = useId();
  return (
    <Frame id={id} {...{ label, help, hideLabel: hideLabel ?? false }}>
      <textarea id={id} aria-describedby={help ? `${id}-help` : undefined} className={classes(BOX, "h-auto resize-y py-2 leading-relaxed", className)} {...rest} />
    </Frame>
  );
}
