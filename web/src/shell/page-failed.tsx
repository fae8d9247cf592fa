import { bodyOf } from "~/api/client";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { ErrorNote } from "~/ui/notes";
import { Page } from "~/ui/page";
import { words } from "./words";

/** In place of a page whose own code has failed. */
export function PageFailed({ error }: { error: unknown }) {
  const w = useWords(words);
  return (
    <Page title={w.failed} lead={w.failedHint}>
      <ErrorNote error={bodyOf(error)} actions={<Button size="small" onClick={() => location.reload()}>{w.reload}</Button>} />
    </Page>
  );
}
