/**
 * Normalization of input + skip + bias over the last axis: by mean and variance, or (Simplified) by the square mean.
 * The optional fourth output is that sum.
 */
import { floatAttribute } from "#model/attributes";
import { rootMeanSquare, scaleAndShift, standardize } from "#model/ops/LayerNormalization";
import { countOf, operand } from "#model/ops/operand";
import type { ForwardContext, InferContext, Known, Op } from "#model/ops/types";
import { float32, fromNumbers, type Tensor, toNumbers } from "#model/tensor";

function skipNormalization(
  name: string,
  biasIndex: number,
  normalize: (context: ForwardContext, sum: Float64Array) => Tensor[],
): Op {
  return {
    domain: "com.microsoft",
    name,
    infer,
    cost: (_, [x]) => ({ macs: 0, flops: 9 * countOf(x) }),
    forward: (context) => {
      const x = operand(context, 0);
      const sum = Float64Array.from(toNumbers(x));
      scaleAndShift(sum, x.dims, undefined, operand(context, 1));
      scaleAndShift(sum, x.dims, undefined, context.inputs[biasIndex]);
      return [...normalize(context, sum), fromNumbers(x.type, x.dims, sum)];
    },
  };
}

function infer({ node, inputs: [x] }: InferContext): Known[] {
  const same: Known = { element: x?.element, shape: x?.shape };
  const statistic: Known = {
    element: "float32",
    shape: x?.shape?.map((dim, axis, all) => (axis < all.length - 1 ? dim : 1)),
  };
  return [same, statistic, statistic, same].slice(0, node.outputs.length);
}

/** Inputs input, skip, gamma, optional beta, optional bias. */
export const SkipLayerNormalization = skipNormalization("SkipLayerNormalization", 4, (context, sum) => {
  const { type, dims } = operand(context, 0);
  const { y, means, inverses } = standardize(sum, dims[dims.length - 1], epsilonOf(context));
  scaleAndShift(y, dims, operand(context, 2), context.inputs[3]);
  const rows = [...dims.slice(0, -1), 1];
  return [
    fromNumbers(type, dims, y),
    float32(rows, Float32Array.from(means)),
    float32(rows, Float32Array.from(inverses)),
  ];
});

/** Inputs input, skip, gamma, optional bias. */
export const SkipSimplifiedLayerNormalization = skipNormalization(
  "SkipSimplifiedLayerNormalization",
  3,
  (context, sum) => {
    const { type, dims } = operand(context, 0);
    const size = dims[dims.length - 1];
    const y = rootMeanSquare(sum, size, epsilonOf(context));
    const rows = [...dims.slice(0, -1), 1];
    const inverses = Float32Array.from({ length: sum.length / size }, (_, row) =>
      sum[row * size] === 0 ? 0 : y[row * size] / sum[row * size],
    );
    scaleAndShift(y, dims, operand(context, 2), undefined);
    return [fromNumbers(type, dims, y), float32(rows, new Float32Array(inverses.length)), float32(rows, inverses)];
  },
);

function epsilonOf({ node }: ForwardContext): number {
  return floatAttribute(node, "epsilon", 1e-12);
}
