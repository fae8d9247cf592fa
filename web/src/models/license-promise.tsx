import { useId } from "react";
import { useWords } from "~/text/words";
import { words } from "./dialog-words";

/** What a licence against commercial use asks of whoever installs the model. */
export function LicensePromise({ license, checked, change }: { license: string; checked: boolean; change: (checked: boolean) => void }) {
  const w = useWords(words);
  const id = useId();
  return (
    <div className="flex gap-2.5 rounded-md bg-warning-wash px-3 py-2.5 text-sm">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        aria-describedby={`${id}-hint`}
        onChange={(event) => change(event.target.checked)}
        className="mt-0.5 size-4 shrink-0 accent-accent"
      />
      <div>
        <label htmlFor={id} className="font-medium">{w.promise(license)}</label>
        <p id={`${id}-hint`} className="mt-0.5 text-soft">{w.promiseHint}</p>
      </div>
    </div>
  );
}
