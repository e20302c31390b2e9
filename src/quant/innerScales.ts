import type { Scales } from "#quant/decoding";
import { forEachRun } from "#quant/granularity";

/** The inner numbers of scales that have two levels: each value divided by the outer one of its elements. One level is itself. */
export function innerScales(
  { granularity, values, outer }: Scales,
  matrix: readonly [rows: number, columns: number],
): Float32Array {
  if (outer === undefined) return values;
  const outerOf = spreadScales(outer, matrix);
  const out = new Float32Array(values.length);
  forEachRun(matrix, granularity, (index, offset) => {
    out[index] = outerOf[offset] === 0 ? 0 : values[index] / outerOf[offset];
  });
  return out;
}

/** Undoes `innerScales`: what elements are multiplied with. */
export function outerTimesInner(
  inner: Float32Array,
  { granularity, outer }: Omit<Scales, "values">,
  matrix: readonly [rows: number, columns: number],
): Float32Array {
  if (outer === undefined) return inner;
  const outerOf = spreadScales(outer, matrix);
  const out = new Float32Array(inner.length);
  forEachRun(matrix, granularity, (index, offset) => {
    out[index] = inner[index] * outerOf[offset];
  });
  return out;
}

/** The scale of each element. */
function spreadScales({ granularity, values }: Scales, matrix: readonly [rows: number, columns: number]): Float32Array {
  const out = new Float32Array(matrix[0] * matrix[1]);
  forEachRun(matrix, granularity, (index, offset, step, count) => {
    for (let k = 0, i = offset; k < count; k++, i += step) out[i] = values[index];
  });
  return out;
}
