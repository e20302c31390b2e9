import { recipe } from "#methods/recipes";
import type { Recipe } from "#methods/types";
import type { Model } from "#model/model";
import { countWork } from "#report/workload";

/**
 * The best known recipe for a model when nobody says: by what most of its products are computed by, and whether there is data.
 *
 * | most products in   | with data | without |
 * | Conv               | w8a8      | w8      |
 * | MatMul, recurrence | w8a8-dynamic, which needs none |
 *
 * Convolutions gain nothing from dynamic ranges, and matrix products of transformers lose accuracy to static ones (peers.md §3.4).
 */
export async function chooseRecipe(model: Model, hasData: boolean): Promise<Recipe> {
  const { steps } = await countWork(model);
  let convolutions = 0;
  let all = 0;
  for (const { node, macs, times } of steps) {
    all += macs * times;
    if (node.op.includes("Conv")) convolutions += macs * times;
  }
  if (all > 0 && convolutions / all < 0.5) return recipe("w8a8-dynamic");
  return recipe(hasData ? "w8a8" : "w8");
}
