/**
 * Searches for the scale d and the minimum m of codes l ∈ [0, top] that leave the least error Σ w |d·l − m − x|ᵖ, p = 1 or 2, with
 * m ≥ 0: numbers that are all positive are coded from 0 on. Each candidate grid gives codes; d and m are then their weighted least
 * squares. In float32, rounding after every operation, sums from the first to the last: `make_qkx2_quants` and `make_qkx3_quants`
 * of ggml-quants.c.
 */
const { fround } = Math;

/** 1.5·2²³: adding it to a float32 of magnitude below 2²² leaves the nearest integer, ties to even, in the sum's last bits. */
const roundingShift = 12582912;

export interface GridSearch {
  /** The highest code. */
  readonly top: number;
  /** Candidate grids have numerator/(max − min) steps a unit. */
  readonly numerators: Float32Array;
  /** p = 1; else 2. */
  readonly absolute: boolean;
}

/** Most elements that a run has. */
export const longestRun = 32;
const trial = new Uint8Array(longestRun);

/**
 * For each of scales.length runs of `run` elements, the first at x[from] and weights[0]: writes codes to codes[0], …, the scale d
 * and the minimum m. A run is of 4 to 32 elements, of a multiple of 4.
 */
export function scaleAndMin(
  x: Float32Array,
  from: number,
  run: number,
  weights: Float32Array,
  search: GridSearch,
  codes: Uint8Array,
  scales: Float32Array,
  minima: Float32Array,
): void {
  for (let index = 0; index < scales.length; index++)
    fit(x, from, run, weights, search, codes, index * run, scales, minima, index);
}

function fit(
  x: Float32Array,
  start: number,
  run: number,
  weights: Float32Array,
  { top, numerators, absolute }: GridSearch,
  codes: Uint8Array,
  at: number,
  scales: Float32Array,
  minima: Float32Array,
  index: number,
): void {
  const from = start + at;
  let low = x[from];
  let high = low;
  let sumW = weights[at];
  let sumX = fround(sumW * low);
  for (let i = 1; i < run; i++) {
    const v = x[from + i];
    const w = weights[at + i];
    if (v < low) low = v;
    if (v > high) high = v;
    sumW = fround(sumW + w);
    sumX = fround(sumX + fround(w * v));
  }
  if (low > 0) low = 0;
  if (high === low) {
    codes.fill(0, at, at + run);
    scales[index] = 0;
    minima[index] = -low;
    return;
  }
  let inverse = fround(top / fround(high - low));
  let scale = fround(1 / inverse);
  // where a step has no float32 the reference's rounding gives 0 for every element
  let limit = inverse === Number.POSITIVE_INFINITY ? 0 : top;
  let best = 0;
  for (let i = 0; i < run; i++) {
    const v = x[from + i];
    let l = fround(fround(inverse * fround(v - low)) + roundingShift) - roundingShift;
    l = l > 0 ? (l < limit ? l : limit) : 0;
    codes[at + i] = l;
    const error = fround(fround(fround(scale * l) + low) - v);
    best = fround(best + fround(weights[at + i] * (absolute ? Math.abs(error) : fround(error * error))));
  }
  for (let k = 0; k < numerators.length; k++) {
    inverse = fround(numerators[k] / fround(high - low));
    limit = inverse === Number.POSITIVE_INFINITY ? 0 : top;
    let sumL = 0;
    let sumL2 = 0;
    let sumXl = 0;
    for (let i = 0; i < run; i++) {
      const v = x[from + i];
      let l = fround(fround(inverse * fround(v - low)) + roundingShift) - roundingShift;
      l = l > 0 ? (l < limit ? l : limit) : 0;
      trial[i] = l;
      const wl = fround(weights[at + i] * l);
      sumL = fround(sumL + wl);
      sumL2 = fround(sumL2 + fround(wl * l));
      sumXl = fround(sumXl + fround(wl * v));
    }
    const determinant = fround(fround(sumW * sumL2) - fround(sumL * sumL));
    if (!(determinant > 0)) continue;
    let d = fround(fround(fround(sumW * sumXl) - fround(sumX * sumL)) / determinant);
    let m = fround(fround(fround(sumL2 * sumX) - fround(sumL * sumXl)) / determinant);
    if (m > 0) {
      m = 0;
      d = fround(sumXl / sumL2);
    }
    let sum = 0;
    // errors only add up: once they reach the best grid's there is nothing more to learn
    for (let i = 0; i < run && !(sum >= best); i++) {
      const error = fround(fround(fround(d * trial[i]) + m) - x[from + i]);
      sum = fround(sum + fround(weights[at + i] * (absolute ? Math.abs(error) : fround(error * error))));
    }
    if (sum < best) {
      for (let i = 0; i < run; i++) codes[at + i] = trial[i];
      best = sum;
      scale = d;
      low = m;
    }
  }
  scales[index] = scale;
  minima[index] = -low;
}
