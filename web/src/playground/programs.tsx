import { Tabs } from "radix-ui";
import type { Model } from "~/live/state";
import { useWords } from "~/text/words";
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

/** The same speech from elsewhere. */
export function Programs({ model }: { model: Model }) {
  const w = useWords(words);
  const all = useStore(choices);
  const chosen = ofModel(all, model);
  const now = asked(all, model, sampleIn(likelyLanguage(model, chosen.language, chosen.voice)));
  const clip = clones(model) ? (all.clip?.name ?? "clip.wav") : null;
  return (
    <Section title={w.program} lead={w.programLead}>
      <Tabs.Root defaultValue="curl" className="min-w-0">
        <Tabs.List aria-label={w.program} className="mb-3 flex flex-wrap gap-1">
          {KINDS.map(({ id, name }) => (
            <Tabs.Trigger key={id} value={id} className="h-8 rounded-md px-2.5 text-[13px] font-medium text-soft hover:text-ink data-[state=active]:bg-sunken data-[state=active]:text-ink">
              {name}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {KINDS.map(({ id, command }) => {
          const text = command(now, location.origin, clip);
          return (
            <Tabs.Content key={id} value={id} tabIndex={-1}>
              <pre data-command={id} tabIndex={0} className="max-h-56 overflow-auto rounded-md whitespace-pre-wrap wrap-anywhere bg-sunken p-3 font-mono text-[13px] leading-relaxed">
                <code>{text}</code>
              </pre>
              <div className="mt-2 flex flex-wrap items-center gap-3">
                <CopyButton text={text} label={w.copyCommand} />
                {clip !== null && <p className="text-[13px] text-soft">{w.clipNote}</p>}
              </div>
            </Tabs.Content>
          );
        })}
      </Tabs.Root>
    </Section>
  );
}
