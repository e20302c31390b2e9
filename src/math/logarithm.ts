/**
 * Natural logarithm from `+ − × ÷` alone, so it gives the same bits on every engine (ECMAScript leaves `Math.log` to the
 * implementation). x = m·2ᵉ with m ∈ [√½, √2); ln m = 2·atanh(t), t = (m − 1)/(m + 1), by its odd series up to t²³.
 * Error ≤ 2 ulp over all positive doubles. Negative numbers and NaN give NaN, 0 gives −∞.
 */
export function logarithm(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  let e = 0;
  let m = x;
  if (m < 2.2250738585072014e-308) {
    m *= 18014398509481984;
    e = -54;
  }
  view.setFloat64(0, m);
  const high = view.getUint32(0);
  e += ((high >>> 20) & 0x7ff) - 1022;
  view.setUint32(0, (high & 0x000fffff) | 0x3fe00000);
  m = view.getFloat64(0); // [0.5, 1)
  if (m < Math.SQRT1_2) {
    m *= 2;
    e -= 1;
  }
  const t = (m - 1) / (m + 1);
  const t2 = t * t;
  let sum = 0;
  for (let k = 23; k >= 3; k -= 2) sum = (sum + 1 / k) * t2;
  // ln 2 in two parts: e·high is exact for |e| < 2¹¹
  return e * 0.6931471803691238 + (2 * t * sum + e * 1.9082149292705877e-10 + 2 * t);
}

const view = new DataView(new ArrayBuffer(8));
