import { Download, Play, Redo2, Trash2 } from "~/ui/icons";
import { useState } from "react";
import { useNavigate } from "@tanstack/react-router";
import { useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Badge } from "~/ui/badge";
import { Button, IconButton } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { useHandedOnFocus } from "~/ui/focus";
import { Skeleton } from "~/ui/notes";
import { Section } from "~/ui/page";
import { reuse } from "./choices";
import { save } from "./download";
import { useStore } from "./store";
import type { Studio } from "./studio";
import { type Take, takes } from "./takes";
import { words } from "./take-words";

/** What this browser has let speak, to be heard and compared again. */
export function History({ studio }: { studio: Studio }) {
  const w = useWords(words);
  const { takes: all, isKept } = useStore(takes);
  return (
    <Section title={w.takes} lead={isKept ? w.takesLead : w.takesInMemory} actions={all?.length ? <Clear all={all} /> : undefined}>
      {all === null && <Skeleton className="h-16" />}
      {all?.length === 0 && (
        <p className="py-4 text-center text-sm text-soft">
          <span className="block font-medium text-ink">{w.noTakes}</span>
          {w.noTakesHint}
        </p>
      )}
      {all !== null && all.length > 0 && (
        <ul data-kept={isKept} className="-my-2 max-h-[36rem] divide-y divide-line overflow-y-auto">
          {all.map((take) => <Row key={take.id} take={take} studio={studio} />)}
        </ul>
      )}
    </Section>
  );
}

function Row({ take, studio }: { take: Take; studio: Studio }) {
  const w = useWords(words);
  const format = useFormats();
  const navigate = useNavigate();
  const ref = useHandedOnFocus<HTMLLIElement>();
  const { asked, ending } = take;
  const text = asked.text.length > 60 ? `${asked.text.slice(0, 60)}…` : asked.text;
  const icon = (Icon: typeof Play) => <Icon className="size-4" aria-hidden />;
  const download = async () => {
    const samples = await takes.samples(take.id);
    if (samples) save(samples, take.rate, asked, take.at);
  };
  const use = () => {
    reuse(asked);
    void navigate({ to: "/playground", search: { model: asked.model }, replace: true });
  };
  return (
    <li ref={ref} data-take={take.id} className="py-2.5">
      <p className="truncate text-sm" title={asked.text}>{asked.text}</p>
      <p className="flex items-center gap-2 text-[13px] text-soft">
        <span className="min-w-0 truncate" title={`${asked.model} ${asked.voice}`}>
          {asked.model}
          {asked.voice && ` · ${asked.voice}`}
        </span>
        {ending === "cut" && <Badge tone="warning">{w.cutShort}</Badge>}
        {ending === "stopped" && <Badge>{w.stoppedShort}</Badge>}
      </p>
      <div className="mt-1 flex items-center">
        <p className="flex min-w-0 flex-1 items-center gap-2 text-[13px] whitespace-nowrap text-soft">
          <span>{w.seconds(format.number(take.seconds, { minimumFractionDigits: 1, maximumFractionDigits: 1 }))}</span>
          <time dateTime={new Date(take.at).toISOString()} title={format.dateTime(take.at)}>{format.time(take.at)}</time>
        </p>
        <IconButton size="small" label={w.playTake(text)} icon={icon(Play)} onClick={() => void studio.show(take)} />
        <IconButton size="small" label={w.downloadTake(text)} icon={icon(Download)} onClick={() => void download()} />
        <IconButton size="small" label={w.reuse(text)} icon={icon(Redo2)} onClick={use} />
        <IconButton size="small" label={w.remove(text)} icon={icon(Trash2)} onClick={() => void takes.remove(take.id)} />
      </div>
    </li>
  );
}

function Clear({ all }: { all: readonly Take[] }) {
  const w = useWords(words);
  const format = useFormats();
  const [isAsking, setAsking] = useState(false);
  const bytes = all.reduce((sum, take) => sum + take.bytes, 0);
  const clear = () => {
    setAsking(false);
    void takes.clear();
  };
  return (
    <>
      <Button size="small" look="quiet" onClick={() => setAsking(true)}>{w.clear}</Button>
      <Dialog
        open={isAsking}
        onOpenChange={setAsking}
        title={w.clearTitle}
        description={w.clearHint(format.number(all.length), format.bytes(bytes))}
        actions={
          <>
            <Button onClick={() => setAsking(false)}>{w.cancel}</Button>
            <Button look="danger" onClick={clear}>{w.clearDo}</Button>
          </>
        }
      />
    </>
  );
}
