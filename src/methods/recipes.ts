import { LowbitError } from "#base/errors";
import type { Recipe } from "#methods/types";
import { parseScheme } from "#quant/scheme";

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
  /** Half the size; inputs and outputs stay float32. */
  fp16: { ...base, name: "fp16", weights: "float16", activations: "float", mode: "float", smallestWeight: 1 },
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

/** Checks what only a whole recipe can get wrong, and returns it. */
export function checkedRecipe(wish: Recipe): Recipe {
  const weights = parseScheme(wish.weights);
  const activations = parseScheme(wish.activations);
  for (const rule of wish.rules) {
    if (rule.weights !== undefined) parseScheme(rule.weights);
    if (rule.activations !== undefined) parseScheme(rule.activations);
  }
  if (wish.mode !== "float" && activations === null) {
    throw new LowbitError("usage/scheme", `recipe ${wish.name} computes on codes but leaves activations in float`, {
      hint: 'give activations a scheme such as "uint8/asymmetric", or set mode to "float"',
    });
  }
  if (wish.mode !== "float" && weights === null) {
    throw new LowbitError(
      "usage/scheme",
      `recipe ${wish.name} quantizes activations but not weights; no runtime has kernels for that`,
      { hint: 'give weights a scheme such as "int8/channel"' },
    );
  }
  return wish;
}
