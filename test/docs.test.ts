/** The documents say what the code does: codes, recipes, versions. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { errorCodes } from "#base/errors";
import { recipes } from "#methods/recipes";
import { version } from "#verbs/version";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (path: string): string => readFileSync(root + path, "utf8");
const sources = readdirSync(`${root}src`, { recursive: true, encoding: "utf8" }).filter(
  (file) => /\.(ts|js)$/.test(file) && !file.includes(".test."),
);

describe("docs/errors.md", () => {
  const documented = [...read("docs/errors.md").matchAll(/^### (\S+)$/gm)].map(([, code]) => code);

  test("has a paragraph for every code, and none for others", () => {
    expect([...documented].sort()).toEqual(Object.keys(errorCodes).sort());
  });

  test("states each code's exit code", () => {
    const text = read("docs/errors.md");
    for (const [code, exit] of Object.entries(errorCodes)) {
      const paragraph = text.split(`### ${code}\n`)[1].split("\n#")[0];
      expect(paragraph, code).toContain(`Exit code ${exit}.`);
    }
  });

  test("is about codes that something throws", () => {
    const text = sources
      .filter((file) => file !== "base/errors.ts")
      .map((file) => read(`src/${file}`))
      .join("\n");
    expect(Object.keys(errorCodes).filter((code) => !text.includes(`"${code}"`))).toEqual([]);
  });
});

test("docs/recipes.md describes every recipe", () => {
  const text = read("docs/recipes.md");
  for (const name of Object.keys(recipes)) expect(text, name).toContain(`\`${name}\``);
});

test("the library's version is the package's", () => {
  expect(version).toBe((JSON.parse(read("package.json")) as { version: string }).version);
});
