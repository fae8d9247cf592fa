import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` serves the sources beside a running product: its API is asked at this address.
const api = process.env["SIRENE_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "sirene_web/static",
    emptyOutDir: true,
    target: "es2022",
    // Scripts that are inlined as data: would be refused by the page's content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: { format: "es" },
  server: {
    proxy: {
      "/api": { target: api, changeOrigin: true, headers: { origin: api } },
      "/v1": { target: api, changeOrigin: true, headers: { origin: api } },
      "/schema": api,
    },
  },
});
