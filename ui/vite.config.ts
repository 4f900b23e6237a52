import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Copies the API reference's viewer, so that `/redoc` needs nothing from elsewhere. */
function redocBundle(): Plugin {
  let outDir = "dist";
  return {
    name: "redoc-bundle",
    apply: "build",
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      const from = createRequire(import.meta.url).resolve("redoc/bundles/redoc.standalone.js");
      mkdirSync(outDir, { recursive: true });
      copyFileSync(from, join(outDir, "redoc.standalone.js"));
      compressTree(outDir);
    },
  };
}

/** What an address needs is asked for by a script of its own, which runs while the page's is still coming. */
function aheadScript(): Plugin {
  return {
    name: "ahead-script",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const chunk = Object.values(bundle ?? {}).find((one) => one.type === "chunk" && one.name === "ahead");
        if (!chunk) throw new Error("the build has no script that runs ahead");
        const attrs = { type: "module", async: true, crossorigin: true, src: `/${chunk.fileName}` };
        return [{ tag: "script", attrs, injectTo: "head-prepend" }];
      },
    },
  };
}

const compressible = /\.(html|js|css|svg|json|txt|webmanifest)$/;

/** Writes `.br` and `.gz` beside each text file; the server sends them as they are. */
function compressTree(dir: string): void {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) {
      compressTree(path);
    } else if (compressible.test(name)) {
      const bytes = readFileSync(path);
      const quality = bytes.length > 400_000 ? 9 : 11;
      writeFileSync(
        `${path}.br`,
        brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }),
      );
      writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    }
  }
}

const viewer = process.env.RUNICORN_ADDRESS ?? "http://127.0.0.1:23300";

export default defineConfig({
  plugins: [svelte(), aheadScript(), redocBundle()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { input: { index: "index.html", ahead: "src/ahead.ts" } },
  },
  server: {
    host: "127.0.0.1",
    proxy: {
      "/api": { target: viewer, ws: true, changeOrigin: true, rewriteWsOrigin: true },
    },
  },
  test: {
    projects: [
      {
        extends: true,
        resolve: { conditions: ["browser"] },
        // The table of advice is held against the codes in the crate's source.
        server: { fs: { allow: [".", "../crates/remote/src"] } },
        test: { name: "unit", include: ["src/**/*.test.ts"], environment: "jsdom", css: true },
      },
      {
        test: {
          name: "e2e",
          include: ["e2e/**/*.e2e.ts"],
          environment: "node",
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // Longer than anything takes on a busy machine; left alone it is a second.
          expect: { poll: { timeout: 30_000 } },
          // A browser, a viewer and the test take turns: two files fill two cores.
          maxWorkers: 2,
          // Real programs on a busy machine; a fault that is always there fails both times.
          retry: 1,
        },
      },
      {
        test: {
          name: "write-to-pixel",
          include: ["e2e/write_to_pixel.ts"],
          environment: "node",
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "page-speed",
          include: ["e2e/page_speed.ts"],
          environment: "node",
          testTimeout: 900_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "screenshots",
          include: ["e2e/screenshots.ts"],
          environment: "node",
          testTimeout: 400_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
