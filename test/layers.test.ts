/** Each folder of src/ knows one more thing than those before it in this list, and imports only go up the list (DESIGN §2). */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const layers = [
  "base",
  "math",
  "kernels",
  "quant",
  "model",
  "grad",
  "formats",
  "data",
  "runtimes",
  "targets",
  "methods",
  "report",
  "jobs",
  "verbs",
  "index",
  "node",
  "cli",
];
/** These stand side by side: none imports another. */
const siblings = new Set(["formats", "data", "runtimes", "methods", "report"]);

const root = fileURLToPath(new URL("../src/", import.meta.url));
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
  (file) => /\.(ts|js)$/.test(file) && !file.endsWith(".test.ts"),
);

const importsOf = (file: string): string[] =>
  [...readFileSync(root + file, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]);

const layerOf = (path: string): string => path.replace(/\.(ts|js)$/, "").split("/")[0];

describe("the house", () => {
  test.each(files)("%s imports only up the list", (file) => {
    const own = layers.indexOf(layerOf(file));
    expect(own, `${file} is in no known layer`).toBeGreaterThanOrEqual(0);
    for (const specifier of importsOf(file).filter((name) => name.startsWith("#"))) {
      const imported = layerOf(specifier.slice(1));
      expect(layers.indexOf(imported), `${file} → ${specifier}`).toBeLessThanOrEqual(own);
      if (siblings.has(layerOf(file)) && imported !== layerOf(file))
        expect(siblings.has(imported), `${file} → ${specifier}: siblings`).toBe(false);
    }
    expect(
      importsOf(file).filter((name) => name.startsWith(".")),
      `${file}: imports name their layer`,
    ).toEqual([]);
  });

  test("the command line uses only the public API", () => {
    const outside = files
      .filter((file) => file.startsWith("cli/"))
      .flatMap((file) => importsOf(file).filter((name) => /^#(?!cli\/|node$|index$)/.test(name)));
    expect(outside).toEqual([]);
  });

  test("what a browser loads imports nothing of Node", () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const specifier of importsOf(file)) {
        expect(specifier.startsWith("node:"), `${file} → ${specifier}`).toBe(false);
        if (specifier.startsWith("#")) visit(`${specifier.slice(1)}.ts`);
      }
    };
    if (files.includes("index.ts")) visit("index.ts");
  });

  test("Math.round, Math.random and the clock stay where they belong", () => {
    for (const file of files) {
      const text = readFileSync(root + file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
      if (!file.startsWith("math/"))
        expect(text.includes("Math.round("), `${file}: name the rounding (math/round)`).toBe(false);
      expect(text.includes("Math.random("), `${file}: randomness is an argument`).toBe(false);
      if (!file.startsWith("cli/")) expect(/console\./.test(text), `${file}: the library prints nothing`).toBe(false);
    }
  });
});
