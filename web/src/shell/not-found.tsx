import { Link } from "@tanstack/react-router";
import { Compass } from "~/ui/icons";
import { useWords } from "~/text/words";
import { Empty } from "~/ui/notes";
import { Page } from "~/ui/page";
import { words } from "./words";

export function NotFound() {
  const w = useWords(words);
  return (
    <Page title={w.notFound}>
      <Empty
        icon={<Compass className="size-8" />}
        title={w.notFound}
        action={<Link to="/" className="font-medium text-accent-ink underline">{w.toModels}</Link>}
      />
    </Page>
  );
}
