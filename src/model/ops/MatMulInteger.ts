import {
  type MatrixProduct,
  matrixProductCost,
  matrixProductOf,
  matrixProductShape,
  multiplyMatrices,
} from "#model/ops/matrixProduct";
import { operand } from "#model/ops/operand";
import { centered } from "#model/ops/quantization";
import type { Op } from "#model/ops/types";
import { tensor, toNumbers, type Tensor } from "#model/tensor";

/**
 * MatMul of codes minus their zero points, exact in int32. Inputs a, b, optional zero points: one, or one per row of a
 * and per column of b.
 */
export const MatMulInteger: Op = {
  domain: "",
  name: "MatMulInteger",
  infer: ({ inputs: [a, b] }) => [{ element: "int32", shape: matrixProductShape(a, b) }],
  cost: (_, [a], [y]) => matrixProductCost(a, y),
  forward: (context) => {
    const [a, b] = [operand(context, 0), operand(context, 1)];
    const product = matrixProductOf(context.node, a.dims, b.dims);
    const sums = multiplyMatrices(
      product,
      centeredRows(a, context.inputs[2], product),
      centeredColumns(b, context.inputs[3], product),
    );
    return [tensor("int32", product.dims, Int32Array.from(sums))];
  },
};

/** a minus its zero point: one, one per row, or one per row of each matrix. */
export function centeredRows(a: Tensor, zero: Tensor | undefined, { rows, inner }: MatrixProduct): ArrayLike<number> {
  if (zero === undefined || zero.data.length === 1) return centered(a, zero);
  const zeros = toNumbers(zero);
  return toNumbers(a).map(
    (code, i) => code - zeros[Math.floor(i / inner) % (zeros.length === rows ? rows : zeros.length)],
  );
}

/** b minus its zero point: one, one per column, or one per column of each matrix. */
export function centeredColumns(
  b: Tensor,
  zero: Tensor | undefined,
  { inner, columns }: MatrixProduct,
): ArrayLike<number> {
  if (zero === undefined || zero.data.length === 1) return centered(b, zero);
  const zeros = toNumbers(zero);
  return toNumbers(b).map((code, i) => {
    const matrix = zeros.length === columns ? 0 : Math.floor(i / (inner * columns));
    return code - zeros[matrix * columns + (i % columns)];
  });
}
