import { useState } from "react";
import type { Model } from "~/live/state";
import { useLanguage } from "~/text/language";
import { useWords } from "~/text/words";
import { Choice } from "~/ui/choice";
import { classes } from "~/ui/classes";
import { CopyButton } from "~/ui/copy";
import { Section } from "~/ui/page";
import { clones, likelyLanguage } from "./ability";
import { asked, choices, ofModel } from "./choices";
import { cli, curl, openai } from "./commands";
import { sampleIn } from "./samples";
import { useStore } from "./store";
import { words } from "./take-words";

const KINDS = [
  { value: "curl", label: "curl", command: curl },
  { value: "openai", label: "OpenAI SDK", command: openai },
  { value: "cli", label: "sirene", command: cli },
] as const;
type Kind = (typeof KINDS)[number]["value"];

/** The same speech from elsewhere. */
export function Programs({ model }: { model: Model }) {
  const w = useWords(words);
  const all = useStore(choices);
  const [shown, show] = useState<Kind>("curl");
  const chosen = ofModel(all, model);
  const now = asked(all, model, sampleIn(likelyLanguage(model, chosen.language, chosen.voice, useLanguage())));
  const clip = clones(model) ? (all.clip?.name ?? "clip.wav") : null;
  const { command } = KINDS.find((kind) => kind.value === shown) ?? KINDS[0];
  const text = command(now, location.origin, clip);
  return (
    <Section title={w.program} lead={w.programLead}>
      <Choice label={w.copyFor} options={KINDS} value={shown} onChange={show} />
      {/* Reachable by keyboard: it may scroll. */}
      <pre
        data-command={shown}
        tabIndex={0}
        aria-label={w.command}
        role="region"
        className={classes(
          "mt-3 max-h-56 overflow-auto rounded-md bg-sunken p-3",
          "font-mono text-[13px] leading-relaxed whitespace-pre-wrap wrap-anywhere",
        )}
      >
        <code>{text}</code>
      </pre>
      <div className="mt-2 flex flex-wrap items-center gap-3">
        <CopyButton text={text} label={w.copyCommand} />
        {clip !== null && <p className="text-[13px] text-soft">{w.clipNote}</p>}
      </div>
    </Section>
  );
}
