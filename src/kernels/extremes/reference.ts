/**
 * Least and greatest number of those that share a parameter. Neighbours do: number i belongs to parameter ⌊i / run⌋ modulo how many
 * there are, so `run` 1 asks for the extremes of each column of a matrix, and low[i] and high[i] are those of parameter i.
 *
 * Where NaN or an infinity is among them, both are NaN. Zeros are +0. Without any numbers low = ∞ and high = −∞.
 */
export function extremes(x: Float32Array, run: number, low: Float32Array, high: Float32Array): void {
  low.fill(Number.POSITIVE_INFINITY);
  high.fill(Number.NEGATIVE_INFINITY);
  for (let i = 0, parameter = 0; i < x.length; parameter = (parameter + 1) % low.length) {
    let lo = low[parameter];
    let hi = high[parameter];
    let strange = 0;
    for (const end = Math.min(i + run, x.length); i < end; i++) {
      const v = x[i];
      if (v < lo) lo = v;
      if (v > hi) hi = v;
      // NaN and ±∞ are the values that do not come back to 0
      strange += v - v;
    }
    low[parameter] = strange === 0 ? lo + 0 : Number.NaN;
    high[parameter] = strange === 0 ? hi + 0 : Number.NaN;
  }
}
