import { preference } from "./preferences";

export type Theme = "system" | "light" | "dark";
export const THEMES: readonly Theme[] = ["system", "light", "dark"];
export const theme = preference<Theme>("theme", THEMES, () => "system");

/** Keeps <html data-theme> true to the choice and to the system. */
export function followTheme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = theme.get();
    const shown = chosen === "system" ? (dark.matches ? "dark" : "light") : chosen;
    document.documentElement.dataset["theme"] = shown;
  };
  apply();
  dark.addEventListener("change", apply);
  theme.subscribe(apply);
}
