/** What MatMul and its quantized kin share: NumPy's matmul of stacks of matrices. */
import { LowbitError } from "#base/errors";
import type { Dim, Node } from "#model/model";
import { broadcastDims, broadcastShapes } from "#model/ops/broadcast";
import { countOf, dimsOf, placeOf } from "#model/ops/operand";
import { allocateChecked, broadcastOffsets } from "#model/ops/strides";
import type { Cost, Known } from "#model/ops/types";
import { sizeOf } from "#model/tensor";

export interface MatrixProduct {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** Number of products; product i multiplies a's matrix aMatrix(i) with b's matrix bMatrix(i). */
  readonly batch: number;
  readonly aMatrix: (i: number) => number;
  readonly bMatrix: (i: number) => number;
  /** Of the result: broadcast stack, rows, columns; a side that was a vector leaves none. */
  readonly dims: readonly number[];
}

/**
 * Aligns a [… m, k] and b [… k, n]; a vector is a row on the left, a column on the right. Throws model/shape where k
 * differs.
 */
export function matrixProductOf(node: Node, a: readonly number[], b: readonly number[]): MatrixProduct {
  const [rows, inner] = a.length === 1 ? [1, a[0]] : a.slice(-2);
  const [height, columns] = b.length === 1 ? [b[0], 1] : b.slice(-2);
  if (a.length === 0 || b.length === 0 || inner !== height)
    throw new LowbitError("model/shape", `${node.op} of [${a.join(", ")}] and [${b.join(", ")}]`, {
      at: placeOf(node),
    });
  const [aStack, bStack] = [a.slice(0, -2), b.slice(0, -2)];
  const stack = broadcastShapes(aStack, bStack);
  const [aOffsets, bOffsets] = [broadcastOffsets(aStack, stack), broadcastOffsets(bStack, stack)];
  return {
    rows,
    inner,
    columns,
    batch: sizeOf(stack),
    aMatrix: (i) => aOffsets?.[i] ?? i,
    bMatrix: (i) => bOffsets?.[i] ?? i,
    dims: [...stack, ...(a.length === 1 ? [] : [rows]), ...(b.length === 1 ? [] : [columns])],
  };
}

/** The products, in float64. */
export function multiplyMatrices(product: MatrixProduct, a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  const { rows, inner, columns, batch } = product;
  const out = allocateChecked("float64", product.dims) as Float64Array;
  for (let i = 0; i < batch; i++) {
    const aBase = product.aMatrix(i) * rows * inner;
    const bBase = product.bMatrix(i) * inner * columns;
    const base = i * rows * columns;
    for (let r = 0; r < rows; r++) addRow(out, base + r * columns, a, aBase + r * inner, inner, b, bBase, columns);
  }
  return out;
}

/** out[to …] += a's row times b: row by row of b, so that memory is read in order. */
function addRow(
  out: Float64Array,
  to: number,
  a: ArrayLike<number>,
  row: number,
  inner: number,
  b: ArrayLike<number>,
  bBase: number,
  columns: number,
): void {
  for (let k = 0; k < inner; k++) {
    const factor = a[row + k];
    const from = bBase + k * columns;
    for (let c = 0; c < columns; c++) out[to + c] += factor * b[from + c];
  }
}

/** Shape of the result as far as it is known. */
export function matrixProductShape(a: Known | undefined, b: Known | undefined): readonly Dim[] | undefined {
  if (a?.shape === undefined || b?.shape === undefined) return undefined;
  const stack = broadcastDims(a.shape.slice(0, -2), b.shape.slice(0, -2)) ?? [];
  return [
    ...stack,
    ...(a.shape.length < 2 ? [] : a.shape.slice(-2, -1)),
    ...(b.shape.length < 2 ? [] : b.shape.slice(-1)),
  ];
}

/** One multiply-accumulate per output and element of the inner dimension. */
export function matrixProductCost(a: Known | undefined, y: Known | undefined): Cost {
  return { macs: countOf(y) * (dimsOf(a).at(-1) ?? 1), flops: 0 };
}
