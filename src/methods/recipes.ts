import { LowbitError } from "#base/errors";
import type { Recipe } from "#methods/types";
import { weightScheme } from "#methods/weightScheme";
import { dtype } from "#quant/dtype";
import { tensorScheme } from "#quant/quantizers/index";
import { parseScheme, type Scheme } from "#quant/scheme";

const base = { rules: [], prefer: "speed", smallestWeight: 1024 } as const;

/** Recipes by the names practitioners speak: WxAy is weight bits and activation bits. */
export const recipes: Readonly<Record<string, Recipe>> = {
  /** Static int8: the fastest on CPUs with integer dot products. Needs calibration data. */
  w8a8: { ...base, name: "w8a8", weights: "int8/channel", activations: "uint8/mse", mode: "static" },
  /** Int8 without calibration: each run finds its own activation ranges. For transformers and recurrent nets. */
  "w8a8-dynamic": {
    ...base,
    name: "w8a8-dynamic",
    weights: "int8/channel",
    activations: "uint8/asymmetric",
    mode: "dynamic",
  },
  /** A quarter of the size, float arithmetic. */
  w8: { ...base, name: "w8", weights: "int8/channel", activations: "float", mode: "float" },
  /** An eighth of the size: 4-bit weights in blocks of 32. */
  w4a16: { ...base, name: "w4a16", weights: "uint4/group:32/asymmetric", activations: "float", mode: "float" },
  w2a16: { ...base, name: "w2a16", weights: "uint2/group:32/asymmetric", activations: "float", mode: "float" },
  /** Half the size, computed in half precision where the runtime has kernels (GPUs); inputs and outputs stay float32. */
  fp16: { ...base, name: "fp16", weights: "float16", activations: "float16", mode: "float", smallestWeight: 1 },
  /** Half the size, float arithmetic: for CPUs, which gain nothing from computing in half precision. */
  w16: { ...base, name: "w16", weights: "float16", activations: "float", mode: "float" },
};

export type RecipeName = keyof typeof recipes;

/** A recipe by name; `usage/unknown-recipe` lists those there are. */
export function recipe(name: string): Recipe {
  const found = Object.hasOwn(recipes, name) ? recipes[name] : undefined;
  if (found !== undefined) return found;
  throw new LowbitError("usage/unknown-recipe", `there is no recipe "${name}"`, {
    hint: `one of ${Object.keys(recipes).join(", ")}, or a JSON file`,
  });
}

/** A recipe that stores weights by a scheme and computes on floats. */
export function weightOnlyRecipe(weights: string): Recipe {
  return { ...base, name: weights, weights, activations: "float", mode: "float" };
}

/** Whether a recipe computes in half precision, and does not only store it. */
export function computesInHalf({ weights, activations }: Recipe): boolean {
  return activations.trim() === "float16" && weights.trim() === "float16";
}

/** Checks what only a whole recipe can get wrong, and returns it. Throws usage/scheme. */
export function checkedRecipe(wish: Recipe): Recipe {
  const { name, mode } = wish;
  const weights = weightScheme(wish.weights);
  const activations = activationScheme(wish.activations);
  for (const rule of wish.rules) {
    weightScheme(rule.weights ?? "float");
    activationScheme(rule.activations ?? "float");
  }
  const wrong = (message: string, hint: string): LowbitError =>
    new LowbitError("usage/scheme", `recipe ${name} ${message}`, { hint });
  if (mode === "float") {
    if (activations === null || computesInHalf(wish)) return wish;
    throw wrong(
      `gives activations the scheme ${wish.activations} but computes on floats`,
      'set mode to "static" or "dynamic", or weights and activations to "float16"',
    );
  }
  if (activations === null || dtype(activations.dtype).kind !== "integer")
    throw wrong(
      "computes on codes but leaves activations in float",
      'give activations a scheme such as "uint8/asymmetric", or set mode to "float"',
    );
  if (weights.kind === "float")
    throw wrong(
      "quantizes activations but not weights; no runtime has kernels for that",
      'give weights a scheme such as "int8/channel"',
    );
  return wish;
}

/** Activations share a scale, and codes are the nearest: so QuantizeLinear makes them. Throws usage/scheme for all else. */
function activationScheme(text: string): Scheme | null {
  const name = text.trim();
  const hint =
    "they have one scale a tensor, and rounding is to the nearest: for example uint8/mse, or float to leave them";
  const linear = name === "float" || name === "float16" || tensorScheme(name).quantizer.name === "linear";
  const scheme = linear ? parseScheme(name) : undefined;
  if (scheme === null || (scheme?.granularity.per === "tensor" && !scheme.stochastic)) return scheme;
  throw new LowbitError("usage/scheme", `activations of a model cannot be computed as ${text}`, { hint });
}
