import { useModel } from "~/live/store";
import { useWords } from "~/text/words";
import { Select } from "~/ui/field";
import { Note } from "~/ui/notes";
import { LicenseBadge } from "../license-badge";
import type { Fitting } from "./importing";
import { words } from "./words";

interface Props {
  /** The best first. */
  models: readonly Fitting[];
  model: Fitting;
  choose: (id: string) => void;
  unknown: readonly string[];
}

/** Which model the files are, each with its place in it, and what is missing. */
export function Choice({ models, model, choose, unknown }: Props) {
  const w = useWords(words);
  const isInstalled = useModel(model.id)?.state === "installed";
  return (
    <>
      <div className="flex flex-wrap items-center gap-3">
        {models.length > 1 ? (
          <div className="min-w-0 flex-1">
            <Select label={w.model} value={model.id} onChange={(event) => choose(event.target.value)}>
              {models.map(({ id }) => <option key={id} value={id}>{id}</option>)}
            </Select>
          </div>
        ) : (
          <p className="font-medium break-all" data-identified={model.id}>{model.id}</p>
        )}
        <LicenseBadge license={model.license} />
      </div>
      <ul className="flex flex-col gap-1 text-sm">
        {model.files.map(({ name, path, is_certain }) => (
          <li key={name} className="min-w-0">
            <span className="font-mono text-[13px] break-all">{name}</span>{" "}
            <span className="font-mono text-[13px] break-all text-soft">{w.becomes(path)}</span>
            {!is_certain && <span className="block text-[13px] text-soft">{w.uncertain}</span>}
          </li>
        ))}
      </ul>
      {model.missing.length > 0 && (
        <Note tone="warning">
          <p className="font-medium">{w.missingTitle}</p>
          <p className="font-mono text-[13px] break-all" data-missing>{model.missing.join(", ")}</p>
        </Note>
      )}
      {unknown.length > 0 && <p className="text-[13px] break-words text-soft">{w.notUsed(unknown.join(", "))}</p>}
      {isInstalled && <p className="text-[13px] text-soft">{w.replaces}</p>}
    </>
  );
}
