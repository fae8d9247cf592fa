import type { Replica } from "~/live/state";
import { type Formats, useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Section } from "~/ui/page";
import { ProgressBar } from "~/ui/progress-bar";
import { EmptySlot, LoadedSlot } from "./slot";
import { words } from "./words";

/** One replica: its slots, and what its models take of each device. */
export function ReplicaStrip({ replica }: { replica: Replica }) {
  const w = useWords(words);
  const format = useFormats();
  const slots = Math.max(replica.max_loaded_models, replica.models.length);
  // By name, so that a slot keeps its place whoever is used last.
  const models = [...replica.models].sort((a, b) => a.id.localeCompare(b.id));
  return (
    <Section
      title={`${replica.host} · ${replica.device.toUpperCase()}`}
      lead={w.slots(models.length, slots)}
    >
      <ul data-replica={replica.replica} aria-label={replica.host} className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,260px),1fr))] gap-3">
        {models.map((model) => <LoadedSlot key={model.id} model={model} />)}
        {Array.from({ length: slots - models.length }, (_, index) => <EmptySlot key={index} />)}
      </ul>
      <Bars replica={replica} format={format} />
      <p className="mt-2.5 text-[13px] text-soft">
        {w.available(format.bytes(replica.memory_available_bytes), format.bytes(replica.memory_total_bytes))}
      </p>
    </Section>
  );
}

function Bars({ replica, format }: { replica: Replica; format: Formats }) {
  const w = useWords(words);
  const devices = Object.keys({ ...replica.memory_limits, ...replica.memory_taken }).sort();
  return (
    <div className="mt-4 grid grid-cols-[repeat(auto-fit,minmax(min(100%,260px),1fr))] gap-x-6 gap-y-3">
      {devices.map((device) => {
        const [taken, limit] = [replica.memory_taken[device] ?? 0, replica.memory_limits[device]];
        return (
          <div key={device} data-device={device} className="min-w-0">
            <p className="mb-1 flex justify-between gap-3 text-[13px] text-soft">
              <span className="font-medium">{device.toUpperCase()}</span>
              <span>{limit ? w.taken(format.bytes(taken), format.bytes(limit)) : w.takenUnlimited(format.bytes(taken))}</span>
            </p>
            {limit !== undefined && limit > 0 && (
              <ProgressBar percent={Math.min(100, (100 * taken) / limit)} label={w.memoryOf(device.toUpperCase())} />
            )}
          </div>
        );
      })}
    </div>
  );
}
