import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const src = fileURLToPath(new URL("./src/", import.meta.url));

export default defineConfig({
  // "#quant/scheme" → src/quant/scheme.ts, as the "source" condition of package.json says
  resolve: { alias: [{ find: /^#(.+)$/, replacement: `${src}$1.ts` }] },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    testTimeout: 30_000,
  },
});
