import { withPlace } from "#base/errors";
import { findWeights } from "#methods/plan/weights";
import { wishes } from "#methods/plan/wishes";
import type { Recipe } from "#methods/types";
import { GraphDraft } from "#model/edit";
import type { Model, TensorRef } from "#model/model";
import { toNumbers } from "#model/tensor";
import { readWeight } from "#model/weights";
import { refuseNonFinite } from "#quant/affine";

/** Operators whose third input is a bias. */
const biased = new Set(["Conv", "ConvTranspose", "Gemm"]);

/**
 * Throws `quant/non-finite`, naming the tensor, where weights or biases of layers that the recipe quantizes hold NaN or infinities:
 * asked before any work is spent on them.
 */
export async function refuseBroken(model: Model, recipe: Recipe): Promise<void> {
  const draft = new GraphDraft(model.graph);
  const wishOf = wishes(recipe);
  const refs = new Set<TensorRef>();
  for (const { ref, uses } of findWeights(model, draft))
    if (uses.some(({ node }) => wishOf(node).weights !== "float")) refs.add(ref);
  for (const node of model.graph.nodes) {
    const bias = biased.has(node.op) && node.domain === "" ? draft.initializer(node.inputs[2] ?? "") : undefined;
    if (bias?.element === "float32" && wishOf(node).weights !== "float") refs.add(bias);
  }
  for (const ref of refs) {
    const values = toNumbers(await readWeight(ref));
    try {
      refuseNonFinite(values instanceof Float32Array ? values : Float32Array.from(values));
    } catch (error) {
      throw withPlace(error, { tensor: ref.name });
    }
  }
}
