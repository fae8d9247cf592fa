import { bodyOf } from "~/api/client";
import type { components } from "~/api/schema";
import { type Formats, useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { ErrorNote, Note, Skeleton } from "~/ui/notes";
import { Page, Section } from "~/ui/page";
import { words as common } from "~/ui/words";
import { Appearance } from "./appearance";
import { Facts } from "./facts";
import { HubToken } from "./hub-token";
import { type Downloader, type ReplicaSettings, useSettings } from "./in-force";
import { DownloadLimits } from "./limits";
import { words } from "./words";

export function SettingsPage() {
  const w = useWords(words);
  const again = useWords(common).retry;
  const settings = useSettings();
  return (
    <Page title={w.title}>
      <div className="flex max-w-3xl flex-col gap-5">
        <Appearance />
        {settings.isPending && SKELETONS.map((height) => <Skeleton key={height} className={height} />)}
        {settings.error && (
          <ErrorNote error={bodyOf(settings.error)} actions={<Button size="small" onClick={() => void settings.refetch()}>{again}</Button>} />
        )}
        {settings.data && <InForce settings={settings.data} />}
      </div>
    </Page>
  );
}

const SKELETONS = ["h-[330px]", "h-[290px]", "h-[240px]"];

function InForce({ settings: { version, downloaders, replicas } }: { settings: components["schemas"]["SettingsView"] }) {
  const w = useWords(words);
  const [first] = downloaders;
  return (
    <>
      {!first && <Note tone="warning"><p className="font-medium">{w.noDownloader}</p><p>{w.noDownloaderHint}</p></Note>}
      {first && (
        <Section title={w.hub} lead={w.hubLead}>
          <HubToken {...first.hub.token} />
          {downloaders.map((one) => <Hub key={one.writer} downloader={one} named={downloaders.length > 1} />)}
        </Section>
      )}
      {first && (
        <Section title={w.downloads} lead={w.downloadsLead}>
          <DownloadLimits limits={first} />
          {downloaders.map((one) => <Habits key={one.writer} downloader={one} named={downloaders.length > 1} />)}
        </Section>
      )}
      <Section title={w.memory} lead={w.memoryLead}>
        {replicas.length === 0 && <p className="text-sm text-soft">{w.noReplica}</p>}
        {replicas.map((one) => <Memory key={one.replica} replica={one} named={replicas.length > 1} />)}
      </Section>
      <Section title={w.about}>
        <Facts
          facts={[
            { label: w.apiName, value: version },
            ...downloaders.map((one) => ({ label: w.downloaderName(one.replica), value: one.version })),
            ...replicas.map((one) => ({ label: w.replicaName(one.replica), value: one.version })),
          ]}
        />
        <p className="mt-3 text-sm"><a href="/schema" className="font-medium text-accent-ink underline">{w.docs}</a></p>
      </Section>
    </>
  );
}

const BELOW = "mt-4 border-t border-line pt-3";

function Hub({ downloader: { replica, hub }, named }: { downloader: Downloader; named: boolean }) {
  const w = useWords(words);
  return (
    <div className={BELOW}>
      {named && <h3 className="mb-2 text-sm font-semibold">{replica}</h3>}
      <Facts
        facts={[
          { label: w.endpoint, ...hub.endpoint },
          { label: w.mirrors, value: hub.mirrors.values.join(", ") || w.none, variable: hub.mirrors.variable },
          { label: w.offline, value: hub.offline.value ? w.yes : w.no, variable: hub.offline.variable },
        ]}
      />
    </div>
  );
}

function Habits({ downloader: { replica, hours, keep_parts_h }, named }: { downloader: Downloader; named: boolean }) {
  const w = useWords(words);
  const format = useFormats();
  const kept = format.number(keep_parts_h.value, { style: "unit", unit: "hour", unitDisplay: "long" });
  return (
    <div className={BELOW}>
      {named && <h3 className="mb-2 text-sm font-semibold">{replica}</h3>}
      <Facts
        facts={[
          { label: w.hours, value: hours.value || w.always, variable: hours.variable },
          { label: w.keepParts, value: kept, variable: keep_parts_h.variable },
        ]}
      />
    </div>
  );
}

function Memory({ replica, named }: { replica: ReplicaSettings; named: boolean }) {
  const w = useWords(words);
  const format = useFormats();
  const { device, max_loaded_models, max_memory, keep_alive } = replica;
  const limits = Object.entries(max_memory.limits).map(([name, bytes]) => `${format.bytes(bytes)} (${name})`);
  const { seconds } = keep_alive;
  const idle = seconds === null ? "–" : seconds < 0 ? w.forRoom : seconds === 0 ? w.notAtAll : spanOf(seconds, format);
  return (
    <div className="not-first:mt-4 not-first:border-t not-first:border-line not-first:pt-3">
      {named && <h3 className="mb-2 text-sm font-semibold">{replica.replica}</h3>}
      <Facts
        facts={[
          { label: w.device, value: w.deviceInUse(device.value, device.in_use), variable: device.variable },
          { label: w.maxLoaded, value: format.number(max_loaded_models.value), variable: max_loaded_models.variable },
          { label: w.maxMemory, value: limits.join(", ") || w.noLimit, variable: max_memory.variable },
          { label: w.keepAlive, value: idle, variable: keep_alive.variable },
        ]}
      />
    </div>
  );
}

/** "5 minutes" rather than "5 min 0 s": people set round ones. */
function spanOf(seconds: number, format: Formats): string {
  const long = (value: number, unit: "minute" | "hour") => format.number(value, { style: "unit", unit, unitDisplay: "long" });
  if (seconds % 3600 === 0) return long(seconds / 3600, "hour");
  return seconds % 60 === 0 ? long(seconds / 60, "minute") : format.duration(seconds);
}
