/**
 * Least and greatest number of each run of `run` neighbours: low[i] and high[i] are those of run i.
 *
 * A run with NaN or an infinity has NaN for both. Zeros are +0. An empty run has low = ∞ and high = −∞.
 */
export function extremes(x: Float32Array, run: number, low: Float32Array, high: Float32Array): void {
  for (let r = 0, i = 0; r < low.length; r++) {
    let lo = Number.POSITIVE_INFINITY;
    let hi = Number.NEGATIVE_INFINITY;
    let strange = 0;
    for (const end = i + run; i < end; i++) {
      const v = x[i];
      if (v < lo) lo = v;
      if (v > hi) hi = v;
      // NaN and ±∞ are the values that do not come back to 0
      strange += v - v;
    }
    low[r] = strange === 0 ? lo + 0 : Number.NaN;
    high[r] = strange === 0 ? hi + 0 : Number.NaN;
  }
}
