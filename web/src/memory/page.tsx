import { Link } from "@tanstack/react-router";
import { MemoryStick, ServerOff } from "~/ui/icons";
import { useState } from "react";
import { useModels, useReplicas } from "~/live/store";
import { useWords } from "~/text/words";
import { Button } from "~/ui/button";
import { Empty, Note, Skeleton } from "~/ui/notes";
import { Page } from "~/ui/page";
import { LoadDialog } from "./load-dialog";
import { ReplicaStrip } from "./replica-strip";
import { UnloadButton } from "./unload-button";
import { words } from "./words";

export function MemoryPage() {
  const w = useWords(words);
  const models = useModels();
  const replicas = useReplicas();
  const [loads, setLoads] = useState(false);
  const loaded = replicas.flatMap((replica) => replica.models);
  const installed = (models ?? []).filter((model) => model.state === "installed");
  const loadable = installed.filter((model) => model.loaded.length === 0);
  const actions = replicas.length > 0 && (
    <>
      {loaded.length > 0 && <UnloadButton id={null} inFlight={loaded.reduce((sum, model) => sum + model.in_flight, 0)} />}
      {loadable.length > 0 && <Button size="small" look="primary" onClick={() => setLoads(true)}>{w.load}</Button>}
    </>
  );
  return (
    <Page title={w.title} lead={w.lead} actions={actions}>
      <div className="flex flex-col gap-5">
        {models === null && <Skeleton className="h-[340px]" />}
        {models !== null && replicas.length === 0 && (
          <Empty icon={<ServerOff className="size-8" />} title={w.noReplica}>{w.noReplicaHint}</Empty>
        )}
        {replicas.map((replica) => <ReplicaStrip key={replica.replica} replica={replica} />)}
        {replicas.length > 0 && loaded.length === 0 && installed.length > 0 && <Note>{w.nothingLoaded}</Note>}
        {replicas.length > 0 && models !== null && installed.length === 0 && (
          <Empty
            icon={<MemoryStick className="size-8" />}
            title={w.nothingInstalled}
            action={<Link to="/" className="font-medium text-accent-ink underline">{w.toModels}</Link>}
          />
        )}
      </div>
      {loads && <LoadDialog onClose={() => setLoads(false)} models={loadable} />}
    </Page>
  );
}
