/**
 * Bias correction (Nagel et al. 2019, "Data-Free Quantization through Weight Equalization and Bias Correction", §4.2): rounding
 * weights by ε shifts the mean of a layer's output by ε·E[x]. The shift is known once E[x] is, so it is taken off the bias.
 * Without it a channel whose large weights nearly cancel against its bias, as folded normalizations leave them, drowns.
 */
import { intAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { sizeOf } from "#model/tensor";
import type { MatrixLayout } from "#quant/quantizeBlocks";

/**
 * E[ŷ] − E[y] for each output channel. `weights` and `decoded` have the weight's shape; `means` is E[x] per input channel.
 * For convolutions edges are taken as if their padding were more of the same.
 */
export function meanShift(
  node: Node,
  dims: readonly number[],
  weights: Float32Array,
  decoded: Float32Array,
  means: ArrayLike<number>,
): Float64Array {
  if (node.op === "Conv") return convolutionShift(dims, intAttribute(node, "group", 1), weights, decoded, means);
  // Gemm and MatMul: [in, out], or [out, in] with transB
  const transposed = node.op === "Gemm" && intAttribute(node, "transB", 0) === 1;
  const [k, n] = transposed ? [dims[1], dims[0]] : dims;
  return matrixShift({ k, n, transposed }, weights, decoded, means);
}

/** `meanShift` of x·W: for each column of W. */
export function matrixShift(
  { k, n, transposed }: MatrixLayout,
  weights: Float32Array,
  decoded: Float32Array,
  means: ArrayLike<number>,
): Float64Array {
  const shift = new Float64Array(n);
  const [rows, columns] = transposed ? [n, k] : [k, n];
  for (let r = 0, i = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++, i++)
      shift[transposed ? r : c] += (decoded[i] - weights[i]) * means[transposed ? c : r];
  }
  return shift;
}

/** Weights are [out, in/groups, kernel…]. */
function convolutionShift(
  dims: readonly number[],
  groups: number,
  weights: Float32Array,
  decoded: Float32Array,
  means: ArrayLike<number>,
): Float64Array {
  const [outs, ins] = dims;
  const kernel = sizeOf(dims.slice(2));
  const shift = new Float64Array(outs);
  for (let o = 0, i = 0; o < outs; o++) {
    const firstIn = Math.floor(o / (outs / groups)) * ins;
    for (let c = 0; c < ins; c++) {
      let error = 0;
      for (let k = 0; k < kernel; k++, i++) error += decoded[i] - weights[i];
      shift[o] += error * means[firstIn + c];
    }
  }
  return shift;
}
