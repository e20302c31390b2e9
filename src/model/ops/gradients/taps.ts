/** Weighted sums along an axis, forth and back, as a product with a constant matrix: pools, resampling, padding and their gradients. */
import type { GradientWriter } from "#model/ops/gradient";
import { reshaped } from "#model/ops/gradients/arithmetic";
import type { Taps } from "#model/ops/resampling";
import { fromNumbers, sizeOf } from "#model/tensor";

/** The taps' sums of x along one axis: y[o] = Σ M[o, i]·x[i]. */
export function gatherTaps(w: GradientWriter, x: string, axis: number, taps: Taps): string {
  const input = w.shapeOf(x)[axis];
  return product(w, x, axis, denseOf(taps, input), taps.indices.length / taps.count);
}

/** What the taps read is given back: dx[i] = Σ M[o, i]·dy[o]. `input` is the length of x along that axis. */
export function scatterTaps(w: GradientWriter, dy: string, axis: number, taps: Taps, input: number): string {
  const output = w.shapeOf(dy)[axis];
  return product(w, dy, axis, transposed(denseOf(taps, input), output, input), input);
}

/** Taps whose output o reads input `at(o, k)` with `weight`, for k < count; indices outside of the input count as 0. */
export function tapsOf(
  output: number,
  count: number,
  input: number,
  at: (o: number, k: number) => number,
  weight: (o: number) => number = () => 1,
): Taps {
  const indices = new Int32Array(output * count);
  const weights = new Float64Array(output * count);
  for (let o = 0; o < output; o++) {
    for (let k = 0; k < count; k++) {
      const index = at(o, k);
      const inside = index >= 0 && index < input;
      indices[o * count + k] = inside ? index : 0;
      weights[o * count + k] = inside ? weight(o) : 0;
    }
  }
  return { count, indices, weights };
}

/** [outputs, inputs], row-major. */
function denseOf({ count, indices, weights }: Taps, input: number): Float64Array {
  const dense = new Float64Array((indices.length / count) * input);
  for (let i = 0; i < indices.length; i++) dense[Math.floor(i / count) * input + indices[i]] += weights[i];
  return dense;
}

function transposed(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(matrix.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = matrix[r * columns + c];
  return out;
}

/** matrix [rows, length of the axis] times x along the axis. */
function product(w: GradientWriter, x: string, axis: number, matrix: Float64Array, rows: number): string {
  const shape = w.shapeOf(x);
  const [outer, length, inner] = [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))];
  const constant = (dims: readonly number[], data: Float64Array): string =>
    w.tensor(fromNumbers(w.typeOf(x), dims, data));
  const y =
    inner === 1
      ? w.node("MatMul", [reshaped(w, x, [outer, length]), constant([length, rows], transposed(matrix, rows, length))])
      : w.node("MatMul", [constant([rows, length], matrix), reshaped(w, x, [outer, length, inner])]);
  return reshaped(
    w,
    y,
    shape.map((dim, a) => (a === axis ? rows : dim)),
  );
}
