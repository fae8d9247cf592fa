import { Link } from "@tanstack/react-router";
import { AudioLines, Download, X } from "~/ui/icons";
import { type ReactNode, useState } from "react";
import type { Model } from "~/live/state";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button, IconButton } from "~/ui/button";
import { words as ui } from "~/ui/words";
import { useAsk } from "./dialogs";
import { baseLanguage, isActive, isOnDisk } from "./filtering";
import { LicenseBadge } from "./license-badge";
import { isNonCommercial } from "./license";
import { words } from "./words";

/** Where nothing is installed yet: the way to the first spoken sentence. */
export function FirstRun({ models }: { models: readonly Model[] }) {
  const w = useWords(words);
  const format = useFormats();
  const ask = useAsk();
  const [began] = useState(() => !models.some(isOnDisk));
  const [isOver, setOver] = useState(false);
  const ready = models.find((model) => model.state === "installed");
  if (!began || isOver) return null;
  if (ready)
    return (
      <Panel title={w.firstRunReady(ready.id)} lead={w.firstRunReadyLead}>
        <Link
          to="/playground"
          search={{ model: ready.id }}
          className="inline-flex h-9 items-center gap-1.5 rounded-md bg-accent px-3.5 text-sm font-medium text-on-accent hover:brightness-110"
        >
          <AudioLines className="size-4" aria-hidden />
          {w.toPlayground}
        </Link>
        <Dismiss onClick={() => setOver(true)} />
      </Panel>
    );
  const voice = firstVoice(models);
  if (!voice || models.some((model) => isActive(model) || isOnDisk(model))) return null;
  const spoken = voice.languages.find((tag) => wantedLanguages().includes(baseLanguage(tag))) ?? voice.languages[0] ?? "";
  return (
    <Panel title={w.firstRun} lead={w.firstRunLead(format.languageName(baseLanguage(spoken)))}>
      <div className="flex flex-wrap items-center gap-2 text-sm">
        <span className="font-medium">{voice.variant}</span>
        {voice.size_bytes !== null && <span>{format.bytes(voice.size_bytes)}</span>}
        <LicenseBadge license={voice.license} />
      </div>
      <Button look="primary" icon={<Download className="size-4" aria-hidden />} onClick={() => ask({ kind: "install", id: voice.id })}>
        {w.install}
      </Button>
    </Panel>
  );
}

function Panel({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <section data-first-run className="mb-5 flex flex-wrap items-center justify-between gap-x-6 gap-y-3 rounded-lg border border-line bg-accent-wash px-4 py-4 sm:px-5">
      <div className="min-w-0">
        <h2 className="font-semibold">{title}</h2>
        <p className="text-sm">{lead}</p>
      </div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">{children}</div>
    </section>
  );
}

function Dismiss({ onClick }: { onClick: () => void }) {
  const w = useWords(ui);
  return <IconButton label={w.dismiss} icon={<X className="size-4" aria-hidden />} onClick={onClick} />;
}

const wantedLanguages = (): string[] => navigator.languages.map(baseLanguage);

/** The smallest good one that needs no clip and speaks the browser's language, one that asks nothing of its user first. */
export function firstVoice(models: readonly Model[]): Model | undefined {
  const ready = models.filter((model) => model.capabilities.includes("preset") && !model.gated && model.size_bytes !== null);
  for (const language of wantedLanguages()) {
    const speakers = ready.filter((model) => model.languages.some((tag) => baseLanguage(tag) === language));
    const best = speakers.sort((one, other) => burden(one) - burden(other))[0];
    if (best) return best;
  }
  return ready.find((model) => model.is_default) ?? ready[0];
}

/** Piper's own words for voices that were made for small boards, and sound like it. */
const isPoor = (model: Model): boolean => /-(x_)?low$/.test(model.variant);

/** en_US for an American, if there is one; else any English. */
const isNear = (model: Model): boolean => model.languages.some((tag) => navigator.languages.includes(tag));

/** Bytes; more than any model has where the licence asks for a promise or is not known, the voice is poor or from afar. */
const burden = (model: Model): number =>
  (model.size_bytes ?? 0) +
  (isNonCommercial(model.license) ? 4e15 : 0) +
  (isPoor(model) ? 2e15 : 0) +
  (/MODEL_CARD/.test(model.license) ? 1e15 : 0) +
  (isNear(model) ? 0 : 5e14);
