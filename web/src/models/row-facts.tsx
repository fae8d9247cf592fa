import { Check, CircleAlert, Lock, MemoryStick } from "~/ui/icons";
import type { Model } from "~/live/state";
import { type Formats, useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Badge } from "~/ui/badge";
import { classes } from "~/ui/classes";
import { fitsIn, isOnDisk } from "./filtering";
import { LicenseBadge } from "./license-badge";
import { StateBadge } from "./state-badge";
import { words } from "./words";

interface NameProps {
  model: Model;
  tellsKind: boolean;
  partsBytes: number;
}

export function RowName({ model, tellsKind, partsBytes }: NameProps) {
  const w = useWords(words);
  const format = useFormats();
  const kinds = tellsKind ? model.capabilities.map((capability) => kindName(capability, w)) : [];
  const parts = partsBytes && model.state !== "failed" ? [w.partsHere(format.bytes(partsBytes))] : [];
  const facts = [languagesText(model, format, w.languages), voicesText(model, format, w.voices), ...kinds, ...parts];
  return (
    <div className="w-full min-w-0 md:w-auto">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <h3 className="font-medium break-all" title={model.id}>{model.variant}</h3>
        <StateBadge state={model.state} />
        {model.loaded.length > 0 && (
          <Badge tone="accent">
            <MemoryStick className="size-3.5" aria-hidden />
            {w.loaded}
          </Badge>
        )}
        <LicenseBadge license={model.license} />
        {model.gated && (
          <Badge tone="warning" title={w.gatedTitle}>
            <Lock className="size-3.5" aria-hidden />
            {w.gated}
          </Badge>
        )}
        {model.is_default && <Badge title={w.defaultTitle}>{w.default}</Badge>}
      </div>
      <p className="mt-0.5 text-[13px] text-soft" title={model.languages.map(format.languageName).join(", ")}>
        {facts.filter(Boolean).join(" · ")}
      </p>
    </div>
  );
}

function languagesText({ languages }: Model, format: Formats, many: (count: string) => string): string {
  return languages.length > 3 ? many(format.number(languages.length)) : languages.map(format.languageName).join(", ");
}

function voicesText({ voices }: Model, format: Formats, several: (count: number, shown: string) => string): string {
  if (voices.length === 1) return voices[0]?.name ?? "";
  return voices.length ? several(voices.length, format.number(voices.length)) : "";
}

export function kindName(capability: string, w: { preset: string; cloning: string; design: string }): string {
  return { preset: w.preset, cloning: w.cloning, design: w.design }[capability] ?? capability;
}

/** Size and memory: columns where there is room, a line under the name where there is none. */
export function RowFacts({ model, memory }: { model: Model; memory: number | null }) {
  const w = useWords(words);
  const format = useFormats();
  const size = isOnDisk(model) && model.installed_bytes ? model.installed_bytes : model.size_bytes;
  const fits = fitsIn(model, memory);
  const need = model.memory_bytes === null ? "" : format.bytes(model.memory_bytes);
  return (
    <div className="flex flex-wrap gap-x-4 text-[13px] md:contents">
      <p data-bytes={size ?? undefined} title={size === null ? undefined : format.exactBytes(size)} className="md:text-right">
        <span className="md:block md:text-sm">{size === null ? w.sizeUnknown : format.bytes(size)}</span>{" "}
        {size !== null && <span className="text-soft">{isOnDisk(model) ? w.onDisk : w.toDownload}</span>}
      </p>
      <p
        data-fits={fits ?? undefined}
        title={need && (memory === null ? w.needTitle(need) : w.fitsTitle(need, format.bytes(memory)))}
        className="md:text-right"
      >
        <span className="md:block md:text-sm">{need || w.memoryUnknown}</span>{" "}
        {need && (
          <span className={classes("inline-flex items-center gap-1", fits === false ? "text-warning" : "text-soft")}>
            {w.memory}
            {fits === true && <Check className="size-3.5 text-accent" aria-label={w.fits} role="img" />}
            {fits === false && <CircleAlert className="size-3.5" aria-hidden />}
            {fits === false && w.tooLarge}
          </span>
        )}
      </p>
    </div>
  );
}
