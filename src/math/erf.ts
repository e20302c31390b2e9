/**
 * The error function, erf x = 2/√π ∫₀ˣ e^(−t²) dt, to about 1e-15.
 *
 * Below 3 by its series of positive terms, erf x = 2/√π e^(−x²) Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!! (DLMF 7.6.2); above by the continued
 * fraction of its complement (DLMF 7.9.1), evaluated from the back.
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x); // erfc(6) = 2e-17
  if (a >= 3) {
    let fraction = 0;
    for (let k = 60; k >= 1; k--) fraction = k / 2 / (a + fraction);
    return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
  }
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
