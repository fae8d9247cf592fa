import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, bodyOf, got } from "~/api/client";
import type { components } from "~/api/schema";
import { type Formats, useFormats } from "~/text/format";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { Input } from "~/ui/field";
import { ErrorNote } from "~/ui/notes";
import { type Downloader, SETTINGS } from "./in-force";
import { words } from "./words";

type Limits = Pick<Downloader, "pulls" | "max_rate" | "connections">;
type Body = components["schemas"]["LimitsBody"];

const MEGA = 1e6;
const OWN: Body = { pulls: null, max_rate: null, connections: null };

export function DownloadLimits({ limits }: { limits: Limits }) {
  const { pulls, max_rate, connections } = limits;
  // A change made elsewhere shows; what is being typed is kept as long as nothing changed.
  return <Form key={[pulls.value, max_rate.value, connections.value].join()} limits={limits} />;
}

function Form({ limits: { pulls, max_rate, connections } }: { limits: Limits }) {
  const w = useWords(words);
  const format = useFormats();
  const queries = useQueryClient();
  const [typed, setTyped] = useState({
    pulls: String(pulls.value),
    rate: max_rate.value ? String(max_rate.value / MEGA) : "",
    connections: String(connections.value),
  });
  const change = useMutation({
    mutationFn: (body: Body) => got(api.PATCH("/api/downloads/limits", { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: SETTINGS }),
    scope: { id: "limits" },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({
      pulls: Number(typed.pulls),
      max_rate: Math.round(Number(typed.rate || 0) * MEGA),
      connections: Number(typed.connections),
    });
  };
  const field = (name: keyof typeof typed) => ({
    value: typed[name],
    type: "number",
    inputMode: name === "rate" ? ("decimal" as const) : ("numeric" as const),
    onChange: (event: { target: { value: string } }) => setTyped({ ...typed, [name]: event.target.value }),
  });
  const own = (limit: Limits["pulls"], value: string) => (limit.value === limit.own ? <code className="text-xs">{limit.variable}</code> : w.own(limit.variable, value));
  const isOwn = [pulls, max_rate, connections].every((limit) => limit.value === limit.own);
  return (
    <form className="flex flex-col gap-3" onSubmit={submit}>
      <div className="grid gap-4 sm:grid-cols-3">
        <Input label={w.pulls} min={1} max={32} required help={own(pulls, format.number(pulls.own))} {...field("pulls")} />
        <Input label={w.rate} min={0} step="any" placeholder={w.noLimit} help={own(max_rate, rateOf(max_rate.own, format, w.noLimit))} {...field("rate")} />
        <Input label={w.connections} min={1} max={64} required help={own(connections, format.number(connections.own))} {...field("connections")} />
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <Button type="submit" busy={change.isPending}>{w.save}</Button>
        {!isOwn && <Button look="quiet" onClick={() => change.mutate(OWN)}>{w.ownValues}</Button>}
      </div>
      {change.error && <ErrorNote error={bodyOf(change.error)} />}
    </form>
  );
}

function rateOf(bytesPerSecond: number, format: Formats, none: string): string {
  return bytesPerSecond ? format.speed(bytesPerSecond) : none;
}
