import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const src = fileURLToPath(new URL("./src/", import.meta.url));
const browser = ["test/browser/**/*.test.ts", "test/runtimes/browser.test.ts"];
/** Whole programs, child processes and what tries to break them: slower, and not to be disturbed by other tests. */
const processes = ["test/{runtimes,hostile,cli,demo,e2e}/**/*.test.ts"];
/** Real models and data beside the repository, where they are. */
const shared = ["test/shared/**/*.test.ts"];
/** What npm would publish; installs packages. */
const packed = ["test/package/**/*.test.ts"];

export default defineConfig({
  // "#quant/scheme" → src/quant/scheme.ts, as tsconfig.json says; in dist/ package.json says so
  resolve: { alias: [{ find: /^#(.+)$/, replacement: `${src}$1.ts` }] },
  test: {
    pool: "forks",
    testTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...browser, ...processes, ...shared, ...packed],
        },
      },
      { extends: true, test: { name: "process", include: processes, exclude: browser } },
      { extends: true, test: { name: "browser", include: browser, hookTimeout: 120_000 } },
      { extends: true, test: { name: "shared", include: shared, hookTimeout: 120_000 } },
      { extends: true, test: { name: "package", include: packed, hookTimeout: 300_000, testTimeout: 120_000 } },
    ],
  },
});
