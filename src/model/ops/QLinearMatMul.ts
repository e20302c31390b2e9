import { matrixProductCost, matrixProductOf, matrixProductShape, multiplyMatrices } from "#model/ops/matrixProduct";
import { centeredColumns, centeredRows } from "#model/ops/MatMulInteger";
import { operand } from "#model/ops/operand";
import { encoderOf, single } from "#model/ops/quantization";
import type { Op } from "#model/ops/types";
import { allocate, tensor, toNumbers } from "#model/tensor";

/**
 * MatMul of codes, requantized: y = saturate(round(Σ (a − a₀)(b − b₀) · s_a·s_b/s_y) + y₀). Inputs a, s_a, a₀, b, s_b,
 * b₀, s_y, y₀; a's parameters one or per row, b's one or per column. The sum is exact, its rescaling float32.
 */
export const QLinearMatMul: Op = {
  domain: "",
  name: "QLinearMatMul",
  infer: ({ inputs }) => [{ element: inputs[7]?.element, shape: matrixProductShape(inputs[0], inputs[3]) }],
  cost: (_, inputs, [y]) => matrixProductCost(inputs[0], y),
  forward: (context) => {
    const [a, aScale, aZero, b, bScale, bZero, yScale, yZero] = [0, 1, 2, 3, 4, 5, 6, 7].map((i) =>
      operand(context, i),
    );
    const product = matrixProductOf(context.node, a.dims, b.dims);
    const { rows, columns, batch } = product;
    const sums = multiplyMatrices(product, centeredRows(a, aZero, product), centeredColumns(b, bZero, product));
    const [aScales, bScales] = [toNumbers(aScale), toNumbers(bScale)];
    const [scale, zero, encode] = [single(yScale), single(yZero), encoderOf(yZero.type)];
    const codes = allocate(yZero.type, sums.length) as Uint8Array;
    for (let i = 0, at = 0; i < batch; i++) {
      for (let r = 0; r < rows; r++) {
        // the parameters of a single matrix serve the whole stack
        const left = aScales[(product.aMatrix(i) * rows + r) % aScales.length];
        for (let c = 0; c < columns; c++, at++) {
          const right = bScales[(product.bMatrix(i) * columns + c) % bScales.length];
          const multiplier = Math.fround(Math.fround(left * right) / scale);
          codes[at] = encode(Math.fround(Math.fround(sums[at]) * multiplier), zero);
        }
      }
    }
    return [tensor(yZero.type, product.dims, codes)];
  },
};
