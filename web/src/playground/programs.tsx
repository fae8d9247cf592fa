import { useId, useState } from "react";
import type { Model } from "~/live/state";
import { useLanguage } from "~/text/language";
import { useWords } from "~/text/words";
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
  { id: "curl", name: "curl", command: curl },
  { id: "openai", name: "OpenAI SDK", command: openai },
  { id: "cli", name: "sirene", command: cli },
] as const;
type Kind = (typeof KINDS)[number]["id"];

/** The same speech from elsewhere. */
export function Programs({ model }: { model: Model }) {
  const w = useWords(words);
  const all = useStore(choices);
  const [shown, show] = useState<Kind>("curl");
  const chosen = ofModel(all, model);
  const now = asked(all, model, sampleIn(likelyLanguage(model, chosen.language, chosen.voice, useLanguage())));
  const clip = clones(model) ? (all.clip?.name ?? "clip.wav") : null;
  const { id, command } = KINDS.find((kind) => kind.id === shown) ?? KINDS[0];
  const text = command(now, location.origin, clip);
  return (
    <Section title={w.program} lead={w.programLead}>
      <Kinds shown={shown} show={show} />
      {/* Reachable by keyboard: it may scroll. */}
      <pre
        data-command={id}
        tabIndex={0}
        aria-label={w.command}
        role="region"
        className={classes(
          "max-h-56 overflow-auto rounded-md bg-sunken p-3",
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

function Kinds({ shown, show }: { shown: Kind; show: (kind: Kind) => void }) {
  const w = useWords(words);
  const name = useId();
  return (
    <div role="radiogroup" aria-label={w.program} className="mb-3 flex flex-wrap gap-1">
      {KINDS.map((kind) => (
        <label
          key={kind.id}
          className={classes(
            "relative flex h-8 cursor-pointer items-center rounded-md px-2.5 text-[13px] font-medium text-soft hover:text-ink",
            "has-checked:bg-sunken has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent",
          )}
        >
          <input
            type="radio"
            name={name}
            checked={shown === kind.id}
            onChange={() => show(kind.id)}
            className="absolute inset-0 cursor-pointer opacity-0"
          />
          {kind.name}
        </label>
      ))}
    </div>
  );
}
