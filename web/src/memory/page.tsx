import { Page } from "~/ui/page";

export function MemoryPage() {
  return <Page title="Memory">{null}</Page>;
}
