import type { Weight, WeightUse } from "#methods/plan/weights";
import { floatAttribute, intAttribute } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { Node } from "#model/model";
import type { ShapeMap } from "#model/shapes";
import { sizeOf } from "#model/tensor";
import type { MatrixLayout } from "#quant/quantizeBlocks";

/** y = x·W + b with a constant W [K, N]: a MatMul or Gemm as kernels for stored codes want it. */
export interface MatrixLayer {
  readonly node: Node;
  /** The float32 activation, [… K]. */
  readonly x: string;
  readonly layout: MatrixLayout;
  /** Constant of N numbers, [N] or [1, N]. */
  readonly bias?: string;
  /** Rows of x, where its shape is known; otherwise 1, the case of generation. */
  readonly rows: number;
}

/** The layer that a use of a weight is; a string says why it is none. */
export function matrixLayer(
  { ref }: Weight,
  { node, input, by, nested }: WeightUse,
  draft: GraphDraft,
  shapes: ShapeMap,
): MatrixLayer | string {
  if (node.op !== "MatMul" && node.op !== "Gemm") return `${node.op} computes on floats`;
  if (nested) return "it is inside a subgraph";
  if (by === "moved") return "its weights are cut or reshaped before they are used";
  if (input !== 1) return "its constant is the first operand";
  if (ref.dims.length !== 2) return `its weights have ${ref.dims.length} axes`;
  if (sizeOf(ref.dims) === 0) return "its weight is empty";
  const [x, , b] = node.inputs;
  const known = shapes.get(x);
  if (known?.element !== "float32") return "its input is not known to be float32";
  if ((known.shape?.length ?? 0) < 2) return "its input is not known to be a matrix";
  const transposed = by === "transposed" || (node.op === "Gemm" && intAttribute(node, "transB", 0) === 1);
  const [k, n] = transposed ? [ref.dims[1], ref.dims[0]] : ref.dims;
  const layer = { node, x, layout: { k, n, transposed }, rows: rowsOf(known.shape ?? []) };
  if (node.op === "MatMul") return layer;
  if (intAttribute(node, "transA", 0) !== 0) return "it transposes its input";
  if (floatAttribute(node, "alpha", 1) !== 1 || floatAttribute(node, "beta", 1) !== 1) return "it scales its result";
  if (b === undefined || b === "") return layer;
  const bias = draft.initializer(b);
  const isVector =
    bias?.element === "float32" && !draft.isInput(b) && sizeOf(bias.dims) === n && bias.dims.at(-1) === n;
  return isVector ? { ...layer, bias: b } : "its bias is not a constant of one number a column";
}

function rowsOf(shape: readonly unknown[]): number {
  return shape.slice(0, -1).reduce<number>((rows, dim) => rows * (typeof dim === "number" ? Math.max(1, dim) : 1), 1);
}
