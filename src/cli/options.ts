/** From what commander parsed to what the API takes: a few names differ. */
import { readFile } from "node:fs/promises";
import type { LayerRule } from "#cli/arguments";
import { type EvaluateFileOptions, LowbitError, readRecipe, type Recipe } from "#node";

/** What commander hands over; the types are what main.ts told it. */
export type Parsed = Readonly<Record<string, unknown>>;

const shared = [
  "data",
  "preprocess",
  "tokenizer",
  "samples",
  "classOffset",
  "metric",
  "allowRandomData",
  "target",
  "threads",
  "seed",
  "html",
];

/** Options that quantize and evaluate share. */
export function dataOptions(parsed: Parsed): EvaluateFileOptions {
  const { timeout, outputName } = parsed;
  return {
    ...picked(parsed, shared),
    ...(typeof timeout === "number" ? { timeoutMs: timeout * 1000 } : {}),
    ...(typeof outputName === "string" ? { output: outputName } : {}),
  };
}

/** Those of the named options that were given. */
export function picked(parsed: Parsed, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => parsed[name] !== undefined).map((name) => [name, parsed[name]]));
}

/** Schemes for some of the layers, as main.ts reads them. */
export function layerRules({ layerWeights }: Parsed): { readonly rules?: LayerRule[] } {
  return Array.isArray(layerWeights) ? { rules: layerWeights as LayerRule[] } : {};
}

/** A recipe's name, or the recipe that a JSON file holds. */
export async function chosenRecipe(name: string | undefined): Promise<string | Recipe | undefined> {
  if (name === undefined || !/\.json$/i.test(name)) return name;
  return readRecipe(await readText(name, "recipe"), name);
}

export async function readText(path: string, what: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    const hint = "check the path";
    throw new LowbitError("io/not-found", `${what} ${path} cannot be read`, { at: { file: path }, hint, cause });
  });
}
