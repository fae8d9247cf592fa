import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { AudioLines, Boxes, MemoryStick, Settings } from "~/ui/icons";
import { type ReactNode, useEffect } from "react";
import { useWords } from "~/text/words";
import { Toasts } from "~/ui/toast";
import { FreeSpace } from "./free-space";
import { LinkMark } from "./link-mark";
import markUrl from "./mark.svg";
import { useTabTitle } from "./tab-title";
import { useToasts } from "./toasts";
import { words } from "./words";

const PAGES = [
  { to: "/", word: "models", icon: <Boxes className="size-[18px]" aria-hidden /> },
  { to: "/playground", word: "playground", icon: <AudioLines className="size-[18px]" aria-hidden /> },
  { to: "/memory", word: "memory", icon: <MemoryStick className="size-[18px]" aria-hidden /> },
  { to: "/settings", word: "settings", icon: <Settings className="size-[18px]" aria-hidden /> },
] as const;

/** What is around every page. On small screens the pages are reached by a bar at the thumb. */
export function Shell() {
  const w = useWords(words);
  useTabTitle();
  useToasts();
  useFocusOnNewPage();
  return (
    <div className="flex min-h-dvh flex-col">
      <a href="#content" className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-panel focus:px-3 focus:py-2">
        {w.skip}
      </a>
      <header className="sticky top-0 z-30 border-b border-line bg-panel">
        <div className="mx-auto flex h-14 max-w-6xl items-center gap-4 px-4 sm:px-6">
          <Link to="/" className="flex items-center gap-2 rounded-sm font-semibold tracking-tight">
            <img src={markUrl} alt="" className="size-7" />
            Sirene
          </Link>
          <nav aria-label={w.pages} className="hidden h-full flex-1 items-stretch gap-1 sm:flex">
            {PAGES.map(({ to, word, icon }) => (
              <PageLink key={to} to={to} className="border-b-2 px-3 text-sm data-[status=active]:border-accent">
                {icon}
                {w[word]}
              </PageLink>
            ))}
          </nav>
          <div className="ml-auto flex items-center gap-4 text-[13px] text-soft">
            <FreeSpace />
            <LinkMark />
          </div>
        </div>
      </header>
      <main id="content" tabIndex={-1} className="mx-auto w-full max-w-6xl flex-1 px-4 pt-6 pb-24 outline-none sm:px-6 sm:pt-8 sm:pb-16">
        <Outlet />
      </main>
      <nav aria-label={w.pages} className="fixed inset-x-0 bottom-0 z-30 grid grid-cols-4 border-t border-line bg-panel pb-[env(safe-area-inset-bottom)] sm:hidden">
        {PAGES.map(({ to, word, icon }) => (
          <PageLink key={to} to={to} className="flex-col !gap-0.5 border-t-2 py-2 text-[11px] data-[status=active]:border-accent">
            {icon}
            {w[word]}
          </PageLink>
        ))}
      </nav>
      <Toasts />
    </div>
  );
}

function PageLink({ to, className, children }: { to: (typeof PAGES)[number]["to"]; className: string; children: ReactNode }) {
  return (
    <Link
      to={to}
      activeOptions={{ exact: to === "/", includeSearch: false }}
      className={`flex items-center justify-center gap-2 border-transparent font-medium text-soft hover:text-ink data-[status=active]:text-ink ${className}`}
    >
      {children}
    </Link>
  );
}

/** A new page begins at its content for whoever listens to it; not the first one. */
function useFocusOnNewPage(): void {
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  useEffect(() => {
    if (!path) return;
    if (lastPath !== undefined && lastPath !== path) document.getElementById("content")?.focus({ preventScroll: true });
    lastPath = path;
  }, [path]);
}
let lastPath: string | undefined;
