/** Products of codes that come out as floats: Σ (a − a₀)(b − b₀) · s_a·s_b + bias; b's parameters one or per column. */
import { matrixProductCost, matrixProductOf, matrixProductShape, multiplyMatrices } from "#model/ops/matrixProduct";
import { centeredColumns, centeredRows } from "#model/ops/MatMulInteger";
import { quantizeByRange } from "#model/ops/DynamicQuantizeLinear";
import { countOf, operand } from "#model/ops/operand";
import type { ForwardContext, Op } from "#model/ops/types";
import { float32, fromNumbers, type Tensor, tensor, toNumbers } from "#model/tensor";

interface Factor {
  readonly codes: Tensor;
  readonly scale: Tensor;
  readonly zero: Tensor | undefined;
}

function scaledProduct(context: ForwardContext, a: Factor, b: Factor, bias: Tensor | undefined): Tensor {
  const product = matrixProductOf(context.node, a.codes.dims, b.codes.dims);
  const { columns } = product;
  const y = multiplyMatrices(
    product,
    centeredRows(a.codes, a.zero, product),
    centeredColumns(b.codes, b.zero, product),
  );
  const [rowScales, columnScales, terms] = [toNumbers(a.scale), toNumbers(b.scale), bias && toNumbers(bias)];
  for (let i = 0; i < y.length; i++) {
    const [row, column] = [Math.floor(i / columns) % rowScales.length, i % columnScales.length];
    y[i] = y[i] * rowScales[row] * columnScales[column] + (terms === undefined ? 0 : terms[i % columns]);
  }
  return fromNumbers(b.scale.type, product.dims, y);
}

/** A is quantized to uint8 by its own range. Inputs A, B, b scale, optional b zero, optional bias. */
export const DynamicQuantizeMatMul: Op = {
  domain: "com.microsoft",
  name: "DynamicQuantizeMatMul",
  infer: ({ inputs: [a, b] }) => [{ element: a?.element, shape: matrixProductShape(a, b) }],
  cost: (_, [a], [y]) => ({ macs: matrixProductCost(a, y).macs, flops: 4 * countOf(a) + 2 * countOf(y) }),
  forward: (context) => {
    const { codes, scale, zero } = quantizeByRange(operand(context, 0));
    const a = { codes, scale: float32([], [scale]), zero: tensor("uint8", [], Uint8Array.of(zero)) };
    const b = { codes: operand(context, 1), scale: operand(context, 2), zero: context.inputs[3] };
    return [scaledProduct(context, a, b, context.inputs[4])];
  },
};

/** Inputs A, B, a scale, b scale, optional a zero, b zero, bias. */
export const MatMulIntegerToFloat: Op = {
  domain: "com.microsoft",
  name: "MatMulIntegerToFloat",
  infer: ({ inputs: [a, b, , scale] }) => [{ element: scale?.element, shape: matrixProductShape(a, b) }],
  cost: (_, [a], [y]) => ({ macs: matrixProductCost(a, y).macs, flops: 2 * countOf(y) }),
  forward: (context) => {
    const a = { codes: operand(context, 0), scale: operand(context, 2), zero: context.inputs[4] };
    const b = { codes: operand(context, 1), scale: operand(context, 3), zero: context.inputs[5] };
    return [scaledProduct(context, a, b, context.inputs[6])];
  },
};
