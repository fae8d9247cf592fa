import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "~/api/client";
import { listen } from "~/live/store";
import { router } from "./router";
import { followLanguage } from "~/text/language";
import { followTheme } from "~/text/theme";
import "./styles.css";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What a request did wrong it does wrong again; a service that is away comes back.
      retry: (failures, error) => failures < 3 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      refetchOnWindowFocus: true,
      networkMode: "always", // a machine without internet still reaches its own Sirene
    },
    mutations: { networkMode: "always" },
  },
});

followTheme();
followLanguage();
listen();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
