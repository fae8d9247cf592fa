import type { ReactNode } from "react";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { words } from "./dialog-words";
import type { Preflight } from "./install-dialog";
import { LicenseBadge } from "./license-badge";

export function PreflightFacts({ told, license }: { told: Preflight; license: string }) {
  const w = useWords(words);
  const format = useFormats();
  const { missing_bytes: missing, total_bytes: total, free_bytes: free, memory_bytes: memory } = told;
  const isPart = missing !== null && total !== null && missing < total;
  return (
    <div>
      <p className="mb-3 font-medium" data-needs={missing ?? undefined} data-free={free}>
        {missing === null ? w.needsUnknown(format.bytes(free)) : w.needs(format.bytes(missing), format.bytes(free))}
      </p>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1.5 text-sm">
        <Fact name={w.download}>
          {missing === null ? (
            w.unknown
          ) : missing === 0 ? (
            w.allHere
          ) : (
            <span title={format.exactBytes(missing)}>
              {isPart ? w.missingOf(format.bytes(missing), format.bytes(total)) : format.bytes(missing)}
            </span>
          )}
        </Fact>
        <Fact name={w.disk}>
          <span title={format.exactBytes(free)}>{format.bytes(free)}</span>
          {missing !== null && missing > 0 && missing <= free && (
            <span className="text-soft"> · {w.afterwards(format.bytes(free - missing))}</span>
          )}
        </Fact>
        <Fact name={w.memory}>
          {memory === null ? w.unknown : w.about(format.bytes(memory))}
          {told.fits_memory === true && <span className="text-soft"> · {w.fits}</span>}
          {told.fits_memory === false && told.memory_free_bytes !== null && (
            <span className="text-warning"> · {w.tooLarge(format.bytes(told.memory_free_bytes))}</span>
          )}
        </Fact>
        <Fact name={w.license}>
          {license ? <LicenseBadge license={license} /> : w.unknown}
        </Fact>
        {told.gated && told.token === "ok" && <Fact name={w.access}>{w.tokenOk}</Fact>}
      </dl>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-soft">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  );
}
