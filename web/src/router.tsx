/** The routes, in code. A page's search parameters are its state that a link may carry. */

import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { modelsSearch } from "~/models/search";
import { ModelsPage } from "~/models/page";
import { playgroundSearch } from "~/playground/search";
import { NotFound } from "~/shell/not-found";
import { PageFailed } from "~/shell/page-failed";
import { Shell } from "~/shell/shell";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

// The start page comes with the first script; the others when they are opened or pointed at.
const routes = [
  createRoute({ getParentRoute: () => root, path: "/", component: ModelsPage, validateSearch: modelsSearch }),
  createRoute({
    getParentRoute: () => root,
    path: "/playground",
    component: lazyRouteComponent(() => import("~/playground/page"), "PlaygroundPage"),
    validateSearch: playgroundSearch,
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/memory",
    component: lazyRouteComponent(() => import("~/memory/page"), "MemoryPage"),
  }),
  createRoute({
    getParentRoute: () => root,
    path: "/settings",
    component: lazyRouteComponent(() => import("~/settings/page"), "SettingsPage"),
  }),
] as const;

export const router = createRouter({
  routeTree: root.addChildren(routes),
  defaultPreload: "intent",
  defaultErrorComponent: PageFailed,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
