/**
 * Scales α₁ ≥ … ≥ α_k ≥ 0 for w ≈ Σ αᵢ·bᵢ, bᵢ = ±1, with little Σ h·(w − ŵ)². The signs of w do not matter: levels are symmetric.
 *
 * k = 1: α = mean|w| is the optimum (Rastegari et al. 2016, eq. 6).
 * k = 2: the levels of |w| are α₁ − α₂ and α₁ + α₂, any two numbers ≥ 0: the optimum is the exact 2-means of |w|.
 * k > 2: greedy, then alternating: nearest codes for the scales, least squares for the scales (Guo et al. 2017; Xu et al. 2018, alg. 2).
 */
import { exactPartition } from "#quant/quantizers/kmeans/exactPartition";
import { firstAbove, meanOf, type SortedPoints, sortedPoints, totalOf } from "#quant/sortedPoints";

export function fitBinary(x: Float32Array, importance: Float32Array | undefined, bits: number): Float64Array {
  const magnitudes = sortedPoints(x.map(Math.abs), importance);
  const n = magnitudes.values.length;
  if (n === 0) return new Float64Array(bits);
  if (bits === 1) return Float64Array.of(meanOf(magnitudes, 0, n));
  if (bits > 2) return alternate(magnitudes, greedy(magnitudes, bits));
  const split = n === 1 ? 1 : exactPartition(magnitudes, 2)[1];
  const low = meanOf(magnitudes, 0, split);
  const high = n === 1 ? low : meanOf(magnitudes, split, n);
  return Float64Array.of((high + low) / 2, (high - low) / 2);
}

/** Entry c of the table: Σ ±αᵢ, + where bit i of c is set. */
export function binaryTable(scales: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: 2 ** scales.length }, (_, code) => {
    let value = 0;
    for (let i = 0; i < scales.length; i++) value += sign(code, i) * scales[i];
    return value;
  });
}

function sign(code: number, bit: number): number {
  return (code >>> bit) & 1 ? 1 : -1;
}

/** Each scale the mean of what those before it leave. */
function greedy({ values, weight }: SortedPoints, bits: number): Float64Array {
  const left = Float64Array.from(values);
  const total = weight[values.length] - weight[0];
  return Float64Array.from({ length: bits }, () => {
    let sum = 0;
    for (let i = 0; i < left.length; i++) sum += (weight[i + 1] - weight[i]) * left[i];
    const mean = sum / total;
    for (let i = 0; i < left.length; i++) left[i] = Math.abs(left[i] - mean);
    return mean;
  });
}

const maxRounds = 100;

function alternate(magnitudes: SortedPoints, start: Float64Array): Float64Array {
  let scales = start;
  let error = Number.POSITIVE_INFINITY;
  for (let round = 0; round < maxRounds; round++) {
    const next = refit(magnitudes, scales);
    if (next === undefined || !(next.error < error)) break;
    ({ scales, error } = next);
  }
  // a negative scale with its bits flipped is a positive one
  return scales.map(Math.abs).sort().reverse();
}

/** Least squares for the codes that are nearest with these scales; undefined where that has no single answer. */
function refit(
  magnitudes: SortedPoints,
  scales: Float64Array,
): { readonly scales: Float64Array; readonly error: number } | undefined {
  const k = scales.length;
  const table = binaryTable(scales);
  const ascending = Array.from(table.keys()).sort((a, b) => table[a] - table[b]);
  // normal equations of Σ h·(w − Σ αᵢ·bᵢ)²: each row Σ h·bᵢ·bⱼ, and Σ h·bᵢ·w at its end
  const rows = Array.from({ length: k }, () => new Float64Array(k + 1));
  let error = 0;
  let first = 0;
  ascending.forEach((code, place) => {
    const above = ascending[place + 1];
    const end =
      above === undefined ? magnitudes.values.length : firstAbove(magnitudes, (table[code] + table[above]) / 2, first);
    const weight = magnitudes.weight[end] - magnitudes.weight[first];
    const total = totalOf(magnitudes, first, end);
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < k; j++) rows[i][j] += weight * sign(code, i) * sign(code, j);
      rows[i][k] += total * sign(code, i);
    }
    // Σ h·w² is left out: it is the same for all scales
    error += weight * table[code] * table[code] - 2 * total * table[code];
    first = end;
  });
  const solved = solve(rows);
  return solved === undefined ? undefined : { scales: solved, error };
}

/** Gaussian elimination with pivoting; undefined for a singular system. */
function solve(rows: Float64Array[]): Float64Array | undefined {
  const k = rows.length;
  for (let c = 0; c < k; c++) {
    let pivot = c;
    for (let r = c + 1; r < k; r++) if (Math.abs(rows[r][c]) > Math.abs(rows[pivot][c])) pivot = r;
    [rows[c], rows[pivot]] = [rows[pivot], rows[c]];
    if (!(Math.abs(rows[c][c]) > 1e-12 * Math.abs(rows[0][0]))) return undefined;
    for (let r = 0; r < k; r++) {
      if (r === c) continue;
      const factor = rows[r][c] / rows[c][c];
      for (let j = c; j <= k; j++) rows[r][j] -= factor * rows[c][j];
    }
  }
  return Float64Array.from(rows, (row, i) => row[k] / row[i]);
}
