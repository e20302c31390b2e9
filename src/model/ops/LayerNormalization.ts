/**
 * Normalization over the last axes, from `axis` on: LayerNormalization by mean and variance, RMSNormalization by the
 * square mean.
 */
import { floatAttribute, intAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { axisAttribute } from "#model/ops/axes";
import { moments } from "#model/ops/moments";
import { countOf, operand } from "#model/ops/operand";
import { broadcastOffsets } from "#model/ops/strides";
import type { Known, Op } from "#model/ops/types";
import { elementTypeOf, fromNumbers, sizeOf, type Tensor, toNumbers } from "#model/tensor";

/**
 * y = (x − mean)/√(variance + ε) · scale + bias. Optional outputs: mean and 1/√(variance + ε), in the type
 * `stash_type`.
 */
export const LayerNormalization: Op = {
  domain: "",
  name: "LayerNormalization",
  infer: ({ node, inputs: [x] }) => {
    const stash: Known = {
      element: elementTypeOf(intAttribute(node, "stash_type", 1)),
      shape: x?.shape && stashDims(node, x.shape),
    };
    return [{ element: x?.element, shape: x?.shape }, ...node.outputs.slice(1).map(() => stash)];
  },
  cost: (_, [x]) => ({ macs: 0, flops: 7 * countOf(x) }),
  forward: (context) => {
    const { node } = context;
    const x = operand(context, 0);
    const [values, size] = [toNumbers(x), lengthOf(node, x.dims)];
    const { y, means, inverses } = standardize(values, size, floatAttribute(node, "epsilon", 1e-5));
    scaleAndShift(y, x.dims, operand(context, 1), context.inputs[2]);
    const stash = elementTypeOf(intAttribute(node, "stash_type", 1)) ?? "float32";
    const dims = stashDims(node, x.dims) as number[];
    return [fromNumbers(x.type, x.dims, y), fromNumbers(stash, dims, means), fromNumbers(stash, dims, inverses)];
  },
};

/** y = x/√(mean of x² + ε) · scale. */
export const RMSNormalization: Op = {
  domain: "",
  name: "RMSNormalization",
  infer: ({ inputs: [x] }) => [{ element: x?.element, shape: x?.shape }],
  cost: (_, [x]) => ({ macs: 0, flops: 4 * countOf(x) }),
  forward: (context) => {
    const { node } = context;
    const x = operand(context, 0);
    const y = rootMeanSquare(toNumbers(x), lengthOf(node, x.dims), floatAttribute(node, "epsilon", 1e-5));
    scaleAndShift(y, x.dims, operand(context, 1), undefined);
    return [fromNumbers(x.type, x.dims, y)];
  },
};

/** Each stretch of `size` elements, centred and divided by √(variance + ε). */
export function standardize(
  x: ArrayLike<number>,
  size: number,
  epsilon: number,
): { y: Float64Array; means: Float64Array; inverses: Float64Array } {
  const y = new Float64Array(x.length);
  const rows = size === 0 ? 0 : x.length / size;
  const [means, inverses] = [new Float64Array(rows), new Float64Array(rows)];
  for (let row = 0; row < rows; row++) {
    const { mean, variance } = moments(x, row * size, (row + 1) * size);
    const inverse = 1 / Math.sqrt(variance + epsilon);
    for (let i = row * size; i < (row + 1) * size; i++) y[i] = (x[i] - mean) * inverse;
    means[row] = mean;
    inverses[row] = inverse;
  }
  return { y, means, inverses };
}

/** Each stretch of `size` elements, divided by √(mean of squares + ε). */
export function rootMeanSquare(x: ArrayLike<number>, size: number, epsilon: number): Float64Array {
  const y = new Float64Array(x.length);
  for (let from = 0; from < x.length; from += size) {
    let squares = 0;
    for (let i = from; i < from + size; i++) squares += x[i] * x[i];
    const inverse = 1 / Math.sqrt(squares / size + epsilon);
    for (let i = from; i < from + size; i++) y[i] = x[i] * inverse;
  }
  return y;
}

/** y ← y · scale + bias, both broadcast to y. */
export function scaleAndShift(
  y: Float64Array,
  dims: readonly number[],
  scale: Tensor | undefined,
  bias: Tensor | undefined,
): void {
  if (scale !== undefined) {
    const [factors, at] = [toNumbers(scale), broadcastOffsets(scale.dims, dims)];
    for (let i = 0; i < y.length; i++) y[i] *= factors[at === undefined ? i : at[i]];
  }
  if (bias !== undefined) {
    const [terms, at] = [toNumbers(bias), broadcastOffsets(bias.dims, dims)];
    for (let i = 0; i < y.length; i++) y[i] += terms[at === undefined ? i : at[i]];
  }
}

function lengthOf(node: Node, dims: readonly number[]): number {
  return sizeOf(dims.slice(axisAttribute(node, -1, dims.length)));
}

function stashDims(node: Node, dims: readonly Dim[]): readonly Dim[] {
  const axis = axisAttribute(node, -1, dims.length);
  return dims.map((dim, a) => (a < axis ? dim : 1));
}
