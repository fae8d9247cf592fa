import { useWords } from "~/text/words";
import { Badge } from "~/ui/badge";
import { isNonCommercial } from "./license";
import { words } from "./words";

/** The licence by its name; one against commercial use says so in words too. */
export function LicenseBadge({ license }: { license: string }) {
  const w = useWords(words);
  if (!license) return null;
  const forbids = isNonCommercial(license);
  const saysSo = /commercial/i.test(license);
  return (
    <Badge tone={forbids ? "warning" : "neutral"} title={`${w.license}: ${license}`}>
      <span className="max-w-56 truncate">{license}</span>
      {forbids && !saysSo && <span className="font-normal">{w.nonCommercial}</span>}
    </Badge>
  );
}
