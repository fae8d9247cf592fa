import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, bodyOf, got } from "~/api/client";
import type { components } from "~/api/schema";
import { useWords } from "~/text/words";
import { Badge } from "~/ui/badge";
import { Button } from "~/ui/button";
import { Input } from "~/ui/field";
import { ErrorNote, Note } from "~/ui/notes";
import { SETTINGS } from "./in-force";
import { words } from "./words";

interface Props {
  source: components["schemas"]["TokenSource"];
  variable: string;
}

/** Takes a token and never gives it back: what is typed leaves the page with the press of Save. */
export function HubToken({ source, variable }: Props) {
  const w = useWords(words);
  const queries = useQueryClient();
  const [token, setToken] = useState("");
  const onSuccess = () => queries.invalidateQueries({ queryKey: SETTINGS });
  const save = useMutation({
    mutationFn: () => got(api.PUT("/api/settings/hub-token", { body: { token: token.trim() } })),
    onSuccess: (answer) => {
      if (answer.kept) setToken("");
      return onSuccess();
    },
  });
  const remove = useMutation({ mutationFn: () => got(api.DELETE("/api/settings/hub-token")), onSuccess });
  const [last, other] = remove.submittedAt > save.submittedAt ? [remove, save] : [save, remove];
  const verdict = last === save ? save.data?.verdict : remove.data && "removed";
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim()) save.mutate();
      }}
    >
      <div className="grid items-start gap-2 sm:grid-cols-[1fr_auto]">
        <Input
          label={w.token}
          help={w.tokenHelp}
          type="password"
          name="hub-token"
          autoComplete="off"
          spellCheck={false}
          maxLength={512}
          placeholder={w.tokenPlaceholder}
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
        <Button type="submit" look="primary" className="justify-self-start sm:mt-[23px]" busy={save.isPending} disabled={!token.trim()}>{w.save}</Button>
      </div>
      <p className="flex min-h-8 flex-wrap items-center gap-2 text-sm" data-token={source}>
        <span className="text-soft">{w.source}</span>
        <Badge tone={source === "none" ? "neutral" : "accent"}>{w[source]}</Badge>
        {source !== "stored" && <code className="text-xs text-soft">{variable}</code>}
        {source === "stored" && <Button size="small" busy={remove.isPending} onClick={() => remove.mutate()}>{w.remove}</Button>}
      </p>
      <div role="status" data-verdict={verdict} className="empty:hidden">
        {verdict && !other.isPending && <Note tone={verdict === "refused" || verdict === "unknown" ? "warning" : "neutral"}>{w[verdict]}</Note>}
      </div>
      {last.error && <ErrorNote error={bodyOf(last.error)} />}
    </form>
  );
}
