import {
  type MatrixProduct,
  matrixProductCost,
  matrixProductOf,
  matrixProductShape,
  multiplyMatrices,
} from "#model/ops/matrixProduct";
import { operand } from "#model/ops/operand";
import type { Op } from "#model/ops/types";
import { fromNumbers, type Tensor, toNumbers } from "#model/tensor";

/** NumPy's matmul: stacks of matrices broadcast, a vector is a row on the left and a column on the right. */
export const MatMul: Op = {
  domain: "",
  name: "MatMul",
  infer: ({ inputs: [a, b] }) => [{ element: a?.element ?? b?.element, shape: matrixProductShape(a, b) }],
  cost: (_, [a], [y]) => matrixProductCost(a, y),
  forward: (context) => {
    const [a, b] = [operand(context, 0), operand(context, 1)];
    const product = matrixProductOf(context.node, a.dims, b.dims);
    if (a.type === "int64" || a.type === "uint64" || a.type === "int32" || a.type === "uint32")
      return [multiplyExactly(product, a, b)];
    return [fromNumbers(a.type, product.dims, multiplyMatrices(product, toNumbers(a), toNumbers(b)))];
  },
};

/** Wide integers: exact, wrapping as two's complement does. */
function multiplyExactly(product: MatrixProduct, a: Tensor, b: Tensor): Tensor {
  const { rows, inner, columns, batch, dims } = product;
  const [left, right] = [
    BigInt64Array.from(a.data as Int32Array, BigInt),
    BigInt64Array.from(b.data as Int32Array, BigInt),
  ];
  const out = new BigInt64Array(batch * rows * columns);
  for (let i = 0; i < batch; i++) {
    const [aBase, bBase] = [product.aMatrix(i) * rows * inner, product.bMatrix(i) * inner * columns];
    for (let at = 0; at < rows * columns; at++) {
      const [row, column] = [aBase + Math.floor(at / columns) * inner, bBase + (at % columns)];
      let sum = 0n;
      for (let k = 0; k < inner; k++) sum += left[row + k] * right[column + k * columns];
      out[i * rows * columns + at] = sum; // the array keeps the low 64 bits
    }
  }
  if (a.type === "int64") return { type: a.type, dims, data: out };
  if (a.type === "uint64") return { type: a.type, dims, data: new BigUint64Array(out.buffer) };
  const low = Array.from(out, (value) => Number(BigInt.asIntN(32, value)));
  return { type: a.type, dims, data: a.type === "int32" ? Int32Array.from(low) : Uint32Array.from(low) };
}
