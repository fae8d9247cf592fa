import { Check, Copy } from "~/ui/icons";
import { useEffect, useState } from "react";
import { useWords } from "~/text/words";
import { Button } from "./button";
import { words } from "./words";

/** On plain http off loopback there is no navigator.clipboard: then the old way. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    // Inside an open dialog: outside of it focus, and so the selection, would be taken away.
    (document.querySelector("[role=dialog]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

const SHOWN_MS = 2000;

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const w = useWords(words);
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <Button
      size="small"
      icon={done ? <Check className="size-4 text-accent" aria-hidden /> : <Copy className="size-4" aria-hidden />}
      onClick={async () => setDone(await copyText(text))}
    >
      {done ? w.copied : (label ?? w.copy)}
      <span role="status" className="sr-only">{done ? w.copied : ""}</span>
    </Button>
  );
}
