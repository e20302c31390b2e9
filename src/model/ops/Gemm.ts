import { LowbitError } from "#base/errors";
import { floatAttribute, intAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { broadcastShapes } from "#model/ops/broadcast";
import { type MatrixProduct, multiplyMatrices } from "#model/ops/matrixProduct";
import { countOf, dimsOf, operand, placeOf } from "#model/ops/operand";
import { broadcastOffsets } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { fromNumbers, type Tensor, toNumbers } from "#model/tensor";

/**
 * alpha · A′B′ + beta · C of matrices, each of A and B transposed first if so told; C is optional and broadcasts. Sums
 * are float64: 64-bit integers beyond 2⁵³ lose their low bits.
 */
export const Gemm = {
  domain: "",
  name: "Gemm",
  infer: ({ node, inputs: [a, b] }) => {
    const rows = a?.shape?.[intAttribute(node, "transA", 0) === 0 ? 0 : 1];
    const columns = b?.shape?.[intAttribute(node, "transB", 0) === 0 ? 1 : 0];
    return [{ element: a?.element, shape: [rows ?? null, columns ?? null] }];
  },
  cost: (node, [a, , c], [y]) => {
    const outputs = countOf(y);
    const inner = dimsOf(a)[intAttribute(node, "transA", 0) === 0 ? 1 : 0];
    const scalings = [floatAttribute(node, "alpha", 1) !== 1, c && floatAttribute(node, "beta", 1) !== 1, c].filter(
      Boolean,
    );
    return { macs: outputs * inner, flops: outputs * scalings.length };
  },
  forward: (context) => {
    const { node } = context;
    const [a, b, c] = [operand(context, 0), operand(context, 1), context.inputs[2]];
    const { product, left, right } = gemmProduct(node, a, b);
    const y = multiplyMatrices(product, left, right);
    const alpha = floatAttribute(node, "alpha", 1);
    if (alpha !== 1) for (let i = 0; i < y.length; i++) y[i] *= alpha;
    if (c !== undefined) addScaled(y, product.dims, c, floatAttribute(node, "beta", 1));
    return [fromNumbers(a.type, product.dims, y)];
  },
} satisfies Op;

/** Gemm's product with its operands brought into place: left [rows, inner], right [inner, columns]. */
export function gemmProduct(
  node: Node,
  a: Tensor,
  b: Tensor,
): { product: MatrixProduct; left: ArrayLike<number>; right: ArrayLike<number> } {
  const [transposeA, transposeB] = [intAttribute(node, "transA", 0) !== 0, intAttribute(node, "transB", 0) !== 0];
  const [rows, inner] = transposeA ? [a.dims[1], a.dims[0]] : a.dims;
  const [height, columns] = transposeB ? [b.dims[1], b.dims[0]] : b.dims;
  if (a.dims.length !== 2 || b.dims.length !== 2 || inner !== height)
    throw new LowbitError("model/shape", `${node.op} of [${a.dims.join(", ")}] and [${b.dims.join(", ")}]`, {
      at: placeOf(node),
    });
  return {
    product: { rows, inner, columns, batch: 1, aMatrix: (i) => i, bMatrix: (i) => i, dims: [rows, columns] },
    left: transposeA ? transposed(toNumbers(a), inner, rows) : toNumbers(a),
    right: transposeB ? transposed(toNumbers(b), columns, inner) : toNumbers(b),
  };
}

/** y += factor · c, c broadcast to y. */
function addScaled(y: Float64Array, dims: readonly number[], c: Tensor, factor: number): void {
  broadcastShapes(c.dims, dims);
  const offsets = broadcastOffsets(c.dims, dims);
  const values = toNumbers(c);
  for (let i = 0; i < y.length; i++) y[i] += factor * values[offsets === undefined ? i : offsets[i]];
}

/** [rows, columns] → [columns, rows]. */
export function transposed(matrix: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = matrix[r * columns + c];
  return out;
}
