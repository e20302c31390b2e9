/**
 * A rotation of columns that spreads outliers over their neighbours (incoherence processing: Chee et al. 2023, QuIP, arXiv
 * 2307.13304; Tseng et al. 2024, QuIP#, arXiv 2402.04396, §3): W' = W·R, R = diag(signs)·(I ⊗ H/√n), H a Hadamard matrix of order
 * n that divides the number of columns. R·Rᵀ = I, so x·Wᵀ = (x·R)·W'ᵀ, and an error in W' is as long in W.
 */
import { LowbitError } from "#base/errors";
import type { Rng } from "#base/rng";
import { hadamardOrder, hadamardTransform } from "#math/hadamard";
import type { Matrix } from "#quant/matrix";

export interface Rotation {
  /** n, one that `hadamardOrder` gives. */
  readonly order: number;
  /** ±1, one a column. */
  readonly signs: Int8Array;
}

/** A rotation of the largest order for so many columns, its signs drawn by lot. Throws quant/scheme where there is none. */
export function drawRotation(columns: number, rng: Rng): Rotation {
  const order = hadamardOrder(columns);
  if (order === 1)
    throw new LowbitError("quant/scheme", `no Hadamard matrix rotates ${columns} columns: their number is odd`, {
      hint: "quantize this tensor without /hadamard",
    });
  return { order, signs: Int8Array.from({ length: columns }, () => (rng.uint32() >>> 31 === 0 ? 1 : -1)) };
}

/** W·R. Throws quant/range for values so large that their sums are beyond float32. */
export function rotate({ values, rows, columns }: Matrix, { order, signs }: Rotation): Matrix {
  const length = 1 / Math.sqrt(order);
  const transform = hadamardTransform(order);
  const out = new Float32Array(values.length);
  const row = new Float64Array(columns);
  let largest = 0;
  for (let start = 0; start < values.length; start += columns) {
    for (let c = 0; c < columns; c++) row[c] = values[start + c] * signs[c];
    transform(row);
    for (let c = 0; c < columns; c++) {
      const v = Math.fround(row[c] * length);
      if (v > largest || -v > largest) largest = Math.abs(v);
      out[start + c] = v;
    }
  }
  if (largest === Number.POSITIVE_INFINITY)
    throw new LowbitError("quant/range", "values are so large that rotated ones are beyond float32", {
      hint: "quantize this tensor without /hadamard",
    });
  return { values: out, rows, columns };
}

/** W'·Rᵀ: undoes `rotate`, to float32's precision. */
export function unrotate(values: Float32Array, { order, signs }: Rotation): Float32Array {
  const columns = signs.length;
  const length = 1 / Math.sqrt(order);
  const transform = hadamardTransform(order);
  const out = new Float32Array(values.length);
  const row = new Float64Array(columns);
  for (let start = 0; start < values.length; start += columns) {
    row.set(values.subarray(start, start + columns));
    transform(row, true);
    for (let c = 0; c < columns; c++) out[start + c] = row[c] * length * signs[c];
  }
  return out;
}

/** How much an error in a rotated column, or element, matters: each rotated one takes an equal share of the n it is made of. */
export function rotateImportance(importance: Float32Array, { order }: Rotation): Float32Array {
  const out = new Float32Array(importance.length);
  for (let start = 0; start < out.length; start += order) {
    let sum = 0;
    for (let i = start; i < start + order; i++) sum += importance[i];
    out.fill(sum / order, start, start + order);
  }
  return out;
}
