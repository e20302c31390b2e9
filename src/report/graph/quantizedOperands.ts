/**
 * Operators whose inputs are codes with a scale and a zero point beside them: which inputs belong together. One row an operator,
 * from its schema (ONNX Operators.md; ONNX Runtime ContribOperators.md).
 */
import type { Node } from "#model/model";

/**
 * Input indices of one quantized operand. Without `codes` the operand is the node's own result; codes without a scale are a bias
 * that shares the scales of the product.
 */
export interface QuantizedOperand {
  readonly codes?: number;
  readonly scale?: number;
  readonly zero?: number;
  /** Further inputs that belong to it: the order of act-order columns. */
  readonly more?: readonly number[];
}

type Row = readonly QuantizedOperand[];

const operand = (codes: number, scale: number, zero: number): QuantizedOperand => ({ codes, scale, zero });
const result = (scale: number, zero: number): QuantizedOperand => ({ scale, zero });

const binary: Row = [operand(0, 1, 2), operand(3, 4, 5), result(6, 7)];
const unary: Row = [operand(0, 1, 2), result(3, 4)];

const rows: ReadonlyMap<string, Row> = new Map<string, Row>([
  [":QuantizeLinear", [operand(0, 1, 2)]],
  [":DequantizeLinear", [operand(0, 1, 2)]],
  [":QLinearConv", [operand(0, 1, 2), operand(3, 4, 5), result(6, 7), { codes: 8 }]],
  [":QLinearMatMul", binary],
  [
    ":MatMulInteger",
    [
      { codes: 0, zero: 2 },
      { codes: 1, zero: 3 },
    ],
  ],
  [
    ":ConvInteger",
    [
      { codes: 0, zero: 2 },
      { codes: 1, zero: 3 },
    ],
  ],
  ["com.microsoft:QuantizeLinear", [operand(0, 1, 2)]],
  ["com.microsoft:DequantizeLinear", [operand(0, 1, 2)]],
  ["com.microsoft:QGemm", [operand(0, 1, 2), operand(3, 4, 5), { codes: 6 }, result(7, 8)]],
  ["com.microsoft:QLinearAdd", binary],
  ["com.microsoft:QLinearMul", binary],
  ["com.microsoft:QLinearSigmoid", unary],
  ["com.microsoft:QLinearLeakyRelu", unary],
  ["com.microsoft:QLinearSoftmax", unary],
  ["com.microsoft:QLinearAveragePool", unary],
  ["com.microsoft:QLinearGlobalAveragePool", unary],
  ["com.microsoft:DynamicQuantizeMatMul", [operand(1, 2, 3)]],
  ["com.microsoft:MatMulIntegerToFloat", [operand(0, 2, 4), operand(1, 3, 5)]],
  ["com.microsoft:MatMulNBits", [{ codes: 1, scale: 2, zero: 3, more: [4] }]],
  ["com.microsoft:MatMulBnb4", [{ codes: 1, scale: 2 }]],
  ["com.microsoft:GatherBlockQuantized", [operand(0, 2, 3)]],
  ["com.microsoft:DynamicQuantizeLSTM", [operand(1, 8, 9), operand(2, 10, 11)]],
  ["com.microsoft:QAttention", [operand(0, 3, 6), operand(1, 4, 7)]],
]);

/** The quantized operands of a node; none for an operator on plain numbers. */
export function quantizedOperands(node: Node): readonly QuantizedOperand[] {
  if (node.op === "QLinearConcat" && node.domain === "com.microsoft") {
    const count = Math.floor((node.inputs.length - 2) / 3);
    return [result(0, 1), ...Array.from({ length: count }, (_, i) => operand(2 + 3 * i, 3 + 3 * i, 4 + 3 * i))];
  }
  return rows.get(`${node.domain === "ai.onnx" ? "" : node.domain}:${node.op}`) ?? [];
}

/** The operand that an input is part of, as its codes or as what goes with them. */
export function operandOfInput(node: Node, input: number): QuantizedOperand | undefined {
  return quantizedOperands(node).find(
    ({ codes, scale, zero, more }) => codes === input || scale === input || zero === input || more?.includes(input),
  );
}
