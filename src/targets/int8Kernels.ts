/**
 * Which operators ONNX Runtime computes on 8-bit codes when it finds them between DequantizeLinear and QuantizeLinear, and how.
 * Every row is held to the measured acceptance table (`acceptance/`), where the optimized graph was looked at.
 */
import { floatAttribute, stringAttribute } from "#model/attributes";
import type { Node } from "#model/model";

export type Int8Kernel =
  /**
   * Multiplies codes and accumulates in int32. `floatOutput`: the kernel can also give its sums as floats, unquantized.
   * `statesZero`: it is fused only when the weight's zero point is written out, though it is 0.
   */
  | { readonly kind: "linear"; readonly floatOutput: boolean; readonly statesZero?: boolean }
  /** Computes on codes with a scale of its own for each operand and the result. */
  | { readonly kind: "pointwise" }
  /**
   * Moves codes: operand and result must share scale and zero point. `followsCodes`: fast only behind another int8 kernel,
   * whose memory layout it takes over; and since the runtime moves a QuantizeLinear up through it, a float one needs a barrier.
   */
  | { readonly kind: "moves"; readonly followsCodes?: boolean };

interface Row {
  readonly kernel: Int8Kernel;
  /** Inputs that carry the codes; the others are shapes, indices or constants and stay as they are. */
  readonly operands: readonly number[] | "all";
  readonly since?: number;
  readonly unless?: (node: Node) => boolean;
}

const linear = (floatOutput: boolean, operands: Row["operands"]): Row => ({
  kernel: { kind: "linear", floatOutput },
  operands,
});
const pointwise = (operands: Row["operands"], more: Partial<Row> = {}): Row => ({
  kernel: { kind: "pointwise" },
  operands,
  ...more,
});
const moves = (operands: Row["operands"], more: Partial<Row> = {}): Row => ({
  kernel: { kind: "moves" },
  operands,
  ...more,
});

const rows: ReadonlyMap<string, Row> = new Map([
  ["Conv", linear(false, [0])],
  ["MatMul", linear(true, [0, 1])],
  [
    "Gemm",
    {
      kernel: { kind: "linear", floatOutput: true, statesZero: true },
      operands: [0],
      // alpha scales the product alone, so a bias must not come with it
      unless: (node) =>
        (floatAttribute(node, "alpha", 1) !== 1 && (node.inputs[2] ?? "") !== "") ||
        floatAttribute(node, "beta", 1) !== 1,
    },
  ],
  ["Add", pointwise([0, 1])],
  ["Mul", pointwise([0, 1])],
  ["Sigmoid", pointwise([0])],
  ["LeakyRelu", pointwise([0])],
  ["Softmax", pointwise([0])],
  ["GlobalAveragePool", pointwise([0])],
  ["AveragePool", pointwise([0])],
  ["Concat", pointwise("all")],
  ["Where", pointwise([1, 2])],
  // uint8 MaxPool: 80 times slower in the layout of floats (7.6 ms against 0.09 ms on 64×111×111, ONNX Runtime 1.30)
  [
    "MaxPool",
    moves([0], {
      kernel: { kind: "moves", followsCodes: true },
      since: 12,
      unless: (node) => node.outputs.length > 1 && node.outputs[1] !== "",
    }),
  ],
  ["Reshape", moves([0])],
  ["Flatten", moves([0])],
  ["Transpose", moves([0])],
  ["Squeeze", moves([0])],
  ["Unsqueeze", moves([0])],
  ["Slice", moves([0])],
  ["Gather", moves([0])],
  ["GatherElements", moves([0])],
  ["Split", moves([0])],
  ["Expand", moves([0])],
  ["Tile", moves([0])],
  ["DepthToSpace", moves([0])],
  // the greatest of the codes is the code of the greatest
  ["ReduceMax", moves([0], { since: 12 })],
  ["ReduceMin", moves([0], { since: 12 })],
  ["Resize", moves([0], { unless: (node) => stringAttribute(node, "mode", "nearest") !== "nearest" })],
]);

/** The kernel for a node between Q and DQ, with the inputs it takes as codes; undefined where the runtime would compute in float. */
export function int8Kernel(
  node: Node,
  opset: number,
): { readonly kernel: Int8Kernel; readonly operands: readonly number[] } | undefined {
  const row = node.domain === "" ? rows.get(node.op) : undefined;
  if (row === undefined || opset < (row.since ?? 0) || row.unless?.(node) === true) return undefined;
  return { kernel: row.kernel, operands: row.operands === "all" ? node.inputs.map((_, i) => i) : row.operands };
}

/** The operators of the table, for the acceptance script and the documentation. */
export const int8Operators: readonly string[] = [...rows.keys()];
