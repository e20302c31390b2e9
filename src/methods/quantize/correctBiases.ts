import { addToBias } from "#methods/quantize/addToBias";
import type { WeightUse } from "#methods/plan/weights";
import type { GraphDraft } from "#model/edit";
import type { Node } from "#model/model";

/** Takes what rounding a weight does to the mean of a layer's outputs off the layer's bias, wherever the layer's inputs are known. */
export async function correctBiases(
  draft: GraphDraft,
  uses: readonly WeightUse[],
  channelMeans: ReadonlyMap<string, ArrayLike<number>>,
  meanShift: (node: Node, means: ArrayLike<number>) => Promise<Float64Array>,
): Promise<void> {
  for (const { node, input, nested, by } of uses) {
    const means = channelMeans.get(node.inputs[0]);
    const direct = input === 1 && !nested && by === undefined;
    if (!direct || means === undefined || !["Conv", "Gemm", "MatMul"].includes(node.op)) continue;
    await addToBias(
      draft,
      node,
      (await meanShift(node, means)).map((s) => -s),
    );
  }
}
