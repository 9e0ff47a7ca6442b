import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: "./",
  plugins: [react()],
  resolve: {
    alias: {
      "@api": here("./src/api"),
      "@shared": here("./src/shared"),
      "@graph": here("./src/graph"),
      "@grid": here("./src/grid"),
      "@features": here("./src/features"),
      "@app": here("./src/app"),
    },
  },
  build: {
    outDir: here("../src/tradewind/server/ui/static"),
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      output: {
        // What every screen needs is one file: a cold page asks for few things.
        codeSplitting: { groups: [{ name: "base", test: /src\/(shared|api)\/(?!words\.|live\.worker)|node_modules\/(?!marked|dompurify|@codemirror|@lezer|style-mod|w3c-keyname|crelt)/ }] },
      },
    },
    reportCompressedSize: false,
  },
  worker: { format: "es" },
  server: { proxy: { "/api": target(), "/ui": target(), "/auth": target(), "/health": target() } },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["src/test-setup.ts"], css: true },
});

function target(): string {
  return process.env.TRADEWIND_URL ?? "http://127.0.0.1:8080";
}
