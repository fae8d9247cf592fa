import type { ReactNode } from "react";

export interface Fact {
  label: string;
  value: ReactNode;
  /** The environment variable that sets it. */
  variable?: string;
}

/** What is in force, and where it is set. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className="divide-y divide-line text-sm">
      {facts.map(({ label, value, variable }) => (
        <div key={label} className="flex flex-wrap items-baseline justify-between gap-x-6 py-2 first:pt-0 last:pb-0">
          <dt className="text-soft">
            {label}
            {variable && <code className="ml-2 text-xs max-sm:ml-0 max-sm:block [overflow-wrap:anywhere]">{variable}</code>}
          </dt>
          <dd className="font-medium [overflow-wrap:anywhere]">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
