import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import * as lucide from "lucide";
import { defineConfig, type Plugin } from "vite";

// `npm run dev` serves the sources beside a running product: its API is asked at this address.
const api = process.env["SIRENE_URL"] ?? "http://127.0.0.1:8080";

type Node = [tag: string, attributes: Record<string, unknown>];
const STROKES = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';

/** `virtual:icons` is the address of one SVG file with the icons that src/ui/icons.tsx names. */
function icons(): Plugin {
  const id = "virtual:icons";
  const list = fileURLToPath(new URL("./src/ui/icons.tsx", import.meta.url));
  const drawn = ([tag, attributes]: Node) =>
    `<${tag} ${Object.entries(attributes).map(([name, value]) => `${name}="${value}"`).join(" ")}/>`;
  const file = () => {
    const named = readFileSync(list, "utf8").matchAll(/export const (\w+) = icon\("([\w-]+)"\)/g);
    const symbols = [...named].map(([, component, name]) => {
      const nodes = (lucide as unknown as Record<string, Node[]>)[component ?? ""];
      if (!nodes) throw new Error(`lucide has no icon ${component}`);
      return `<symbol id="${name}" viewBox="0 0 24 24" ${STROKES}>${nodes.map(drawn).join("")}</symbol>`;
    });
    return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
  };
  let isServing = false;
  return {
    name: "sirene-icons",
    configResolved: (config) => void (isServing = config.command === "serve"),
    resolveId: (asked) => (asked === id ? `\0${id}` : null),
    load(asked) {
      if (asked !== `\0${id}`) return null;
      if (isServing) return `export default "/icons.svg";`;
      const asset = this.emitFile({ type: "asset", name: "icons.svg", source: file() });
      return `export default import.meta.ROLLUP_FILE_URL_${asset};`;
    },
    configureServer(server) {
      server.middlewares.use("/icons.svg", (_, answer) => answer.setHeader("content-type", "image/svg+xml").end(file()));
    },
  };
}

export default defineConfig({
  plugins: [react(), tailwindcss(), icons()],
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
