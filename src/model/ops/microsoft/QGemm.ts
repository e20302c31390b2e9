import { floatAttribute } from "#model/attributes";
import { Gemm, gemmProduct } from "#model/ops/Gemm";
import { multiplyMatrices } from "#model/ops/matrixProduct";
import { centeredColumns } from "#model/ops/MatMulInteger";
import { operand } from "#model/ops/operand";
import { centered, perChannel, requantize, single } from "#model/ops/quantization";
import { broadcastOffsets } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { fromNumbers, type Tensor, tensor, toNumbers } from "#model/tensor";

/**
 * Gemm of codes: alpha·s_a·s_b·(Σ (a − a₀)(b − b₀) + C). Inputs A, s_a, a₀, B, s_b, b₀, optional int32 C, optional s_y,
 * y₀; s_b and b₀ one or per column. Float32, or with s_y requantized in y₀'s type.
 */
export const QGemm: Op = {
  domain: "com.microsoft",
  name: "QGemm",
  infer: ({ node, opset, inferGraph, inputs }) => {
    const [{ shape }] = Gemm.infer({ node, opset, inferGraph, inputs: [inputs[0], inputs[3]] });
    return [{ element: inputs[8]?.element ?? "float32", shape }];
  },
  cost: (node, inputs, outputs) => Gemm.cost(node, [inputs[0], inputs[3], inputs[6]], outputs),
  forward: (context) => {
    const [a, aScale, aZero, b, bScale, bZero] = [0, 1, 2, 3, 4, 5].map((i) => operand(context, i));
    const [, , , , , , c, yScale, yZero] = context.inputs;
    const { product, left, right } = gemmProduct(context.node, floats(a, centered(a, aZero)), b);
    const columns = floats({ ...b, dims: [product.inner, product.columns] }, Float64Array.from(right));
    const sums = multiplyMatrices(product, left, centeredColumns(columns, bZero, product));
    if (c !== undefined) {
      const [values, at] = [toNumbers(c), broadcastOffsets(c.dims, product.dims)];
      for (let i = 0; i < sums.length; i++) sums[i] += values[at === undefined ? i : at[i]];
    }
    const alpha = floatAttribute(context.node, "alpha", 1);
    const scales = perChannel(bScale, product.columns, 1).map((scale) =>
      Math.fround(Math.fround(alpha * single(aScale)) * scale),
    );
    if (yScale === undefined || yZero === undefined)
      return [
        fromNumbers(
          "float32",
          product.dims,
          sums.map((sum, i) => sum * scales[i % product.columns]),
        ),
      ];
    const multipliers = scales.map((scale) => Math.fround(scale / single(yScale)));
    return [tensor(yZero.type, product.dims, requantize(yZero.type, sums, multipliers, single(yZero), 1))];
  },
};

/** The same tensor with other numbers in it. */
function floats({ dims }: Tensor, data: Float32Array | Float64Array): Tensor {
  return { type: "float64", dims, data };
}
