/** The one dialog of the page: rows ask for it, so that no row has to hold its own. */

import { createContext, useContext } from "react";

export interface Asked {
  kind: "install" | "cancel" | "delete" | "verify";
  id: string;
}

export const Ask = createContext<(asked: Asked) => void>(() => {});
export const useAsk = () => useContext(Ask);

/** Where focus goes when the button that had it is no more: to the row that it was in. */
export function focusRow(id: string): void {
  const row = [...document.querySelectorAll<HTMLElement>("[data-model]")].find((one) => one.dataset["model"] === id);
  row?.focus({ preventScroll: true });
}
