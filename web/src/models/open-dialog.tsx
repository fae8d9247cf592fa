import { useEffect, useRef } from "react";
import { useModel } from "~/live/store";
import { CancelAllDialog } from "./cancel-all-dialog";
import { CancelDialog } from "./cancel-dialog";
import { DeleteDialog } from "./delete-dialog";
import { type Asked, focusRow } from "./dialogs";
import { InstallDialog } from "./install-dialog";
import { VerifyDialog } from "./verify-dialog";

/** The dialog that was asked for. */
export function OpenDialog({ kind, id, close }: Asked & { close: () => void }) {
  const model = useModel(id);
  const opener = useRef(document.activeElement);
  useEffect(() => {
    const button = opener.current;
    // After Radix has tried: what opened the dialog may have left the page with the state that it was for.
    return () => void setTimeout(() => button?.isConnected || focusRow(id));
  }, [id]);
  if (kind === "cancel" && !id) return <CancelAllDialog close={close} />;
  if (!model) return null;
  switch (kind) {
    case "install":
      return <InstallDialog model={model} close={close} />;
    case "cancel":
      return <CancelDialog model={model} close={close} />;
    case "delete":
      return <DeleteDialog model={model} close={close} />;
    case "verify":
      return <VerifyDialog model={model} close={close} />;
  }
}
