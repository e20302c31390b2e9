import * as v from "valibot";
import { LowbitError } from "#base/errors";
import { checkedRecipe, recipes } from "#methods/recipes";
import type { Recipe } from "#methods/types";

const text = v.string();

/** A recipe file: any of a recipe's fields, over those of the recipe it names as `extends`. */
const schema = v.strictObject({
  extends: v.optional(text),
  name: v.optional(text),
  weights: v.optional(text),
  activations: v.optional(text),
  mode: v.optional(v.picklist(["float", "static", "dynamic"])),
  prefer: v.optional(v.picklist(["speed", "size"])),
  smallestWeight: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  rules: v.optional(v.array(v.strictObject({ match: text, weights: v.optional(text), activations: v.optional(text) }))),
});

/**
 * Reads a recipe from JSON: `{ "extends": "w8a8", "rules": [{ "match": "classifier.*", "weights": "float" }] }`. Throws
 * `usage/argument` naming the file and the field.
 */
export function readRecipe(json: string, file: string): Recipe {
  const wrong = (what: string, cause?: unknown): LowbitError =>
    new LowbitError("usage/argument", `recipe ${file}: ${what}`, {
      at: { file },
      hint: "see docs/recipes.md for the fields",
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw wrong("is no JSON", cause);
  }
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw wrong(`${v.getDotPath(issue) ?? "it"}: ${issue.message}`);
  }
  const { extends: parent = "w8a8", rules = [], ...own } = parsed.output;
  if (!Object.hasOwn(recipes, parent))
    throw wrong(`extends "${parent}", which is none of ${Object.keys(recipes).join(", ")}`);
  const given = Object.fromEntries(Object.entries(own).filter(([, field]) => field !== undefined));
  const merged: Recipe = {
    ...recipes[parent],
    name: file.replace(/^.*[\\/]|\.json$/gi, ""),
    ...given,
    rules: rules.map((rule) => ({ ...rule })),
  };
  return checkedRecipe(merged);
}
