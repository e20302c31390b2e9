/**
 * Searches for the scale d and the minimum m of codes l ∈ [0, top] that leave the least error Σ w |d·l − m − x|ᵖ, p = 1 or 2, with
 * m ≥ 0: numbers that are all positive are coded from 0 on. Each candidate grid gives codes; d and m are then their weighted least
 * squares. `make_qkx2_quants` and `make_qkx3_quants` of ggml-quants.c.
 */
import { roundingShift } from "#quant/ggml/rounding";

const { fround } = Math;

export interface GridSearch {
  /** The highest code. */
  readonly top: number;
  /** Candidate grids have numerator/(max − min) steps a unit. */
  readonly numerators: Float32Array;
  /** p = 1; else 2. */
  readonly absolute: boolean;
}

/** Grids of top + first, top + first + delta, … steps between minimum and maximum, 1 + `more` of them. */
export function gridSearch(top: number, first: number, delta: number, more: number, absolute = false): GridSearch {
  const start = fround(first);
  const step = fround(delta);
  const numerators = Float32Array.from({ length: more + 1 }, (_, i) => fround(start + fround(step * i)) + top);
  return { top, numerators, absolute };
}

const trial = new Uint8Array(32);

/** Writes codes to codes[at], …, the scale to scales[index] and the minimum m to minima[index]. Weights lie at weights[0], …. */
export function fitScaleAndMin(
  x: Float32Array,
  from: number,
  count: number,
  weights: Float32Array,
  { top, numerators, absolute }: GridSearch,
  codes: Uint8Array,
  at: number,
  scales: Float32Array,
  minima: Float32Array,
  index: number,
): void {
  let low = x[from];
  let high = low;
  let sumW = weights[0];
  let sumX = fround(sumW * low);
  for (let i = 1; i < count; i++) {
    const v = x[from + i];
    const w = weights[i];
    if (v < low) low = v;
    if (v > high) high = v;
    sumW = fround(sumW + w);
    sumX = fround(sumX + fround(w * v));
  }
  if (low > 0) low = 0;
  if (high === low) {
    codes.fill(0, at, at + count);
    scales[index] = 0;
    minima[index] = -low;
    return;
  }
  let inverse = fround(top / fround(high - low));
  let scale = fround(1 / inverse);
  let limit = inverse === Number.POSITIVE_INFINITY ? 0 : top;
  let best = 0;
  for (let i = 0; i < count; i++) {
    const v = x[from + i];
    let l = fround(fround(inverse * fround(v - low)) + roundingShift) - roundingShift;
    l = l > 0 ? (l < limit ? l : limit) : 0;
    codes[at + i] = l;
    const error = fround(fround(fround(scale * l) + low) - v);
    best = fround(best + fround(weights[i] * (absolute ? Math.abs(error) : fround(error * error))));
  }
  for (let k = 0; k < numerators.length; k++) {
    inverse = fround(numerators[k] / fround(high - low));
    limit = inverse === Number.POSITIVE_INFINITY ? 0 : top;
    let sumL = 0;
    let sumL2 = 0;
    let sumXl = 0;
    for (let i = 0; i < count; i++) {
      const v = x[from + i];
      let l = fround(fround(inverse * fround(v - low)) + roundingShift) - roundingShift;
      l = l > 0 ? (l < limit ? l : limit) : 0;
      trial[i] = l;
      const wl = fround(weights[i] * l);
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
    for (let i = 0; i < count && !(sum >= best); i++) {
      const error = fround(fround(fround(d * trial[i]) + m) - x[from + i]);
      sum = fround(sum + fround(weights[i] * (absolute ? Math.abs(error) : fround(error * error))));
    }
    if (sum < best) {
      for (let i = 0; i < count; i++) codes[at + i] = trial[i];
      best = sum;
      scale = d;
      low = m;
    }
  }
  scales[index] = scale;
  minima[index] = -low;
}
