/**
 * The scale d of codes l ∈ [0, top] for numbers that are not negative (scales and minima of sub-blocks): nine grids are tried for
 * the least Σ w (x − d·l)², then codes are moved one at a time while that helps. `make_qp_quants` of ggml-quants.c.
 */
import { negligible } from "#kernels/signedScale/reference";
import { nearestInt } from "#quant/ggml/rounding";

const { fround } = Math;
const shifts = Float32Array.from([-4, -3, -2, -1, 1, 2, 3, 4], (k) => fround(fround(0.1) * k));

/** Writes the codes of x[0], …, one an entry of `codes`, and gives the scale. */
export function fitPositiveScale(x: Float32Array, top: number, weights: Float32Array, codes: Uint8Array): number {
  const count = x.length;
  let largest = 0;
  for (let i = 0; i < count; i++) largest = largest > x[i] ? largest : x[i];
  if (largest < negligible) {
    codes.fill(0);
    return 0;
  }
  let inverse = fround(top / largest);
  let scale = fround(1 / inverse);
  let best = 0;
  for (let i = 0; i < count; i++) {
    codes[i] = nearestInt(inverse * x[i]); // as a byte: what the error of the first grid is measured with
    const error = fround(x[i] - fround(scale * codes[i]));
    best = fround(best + fround(fround(weights[i] * error) * error));
  }
  for (let k = 0; k < shifts.length; k++) {
    const candidate = fround(fround(shifts[k] + top) / largest);
    scale = fround(1 / candidate);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const l = Math.min(top, nearestInt(candidate * x[i]));
      const error = fround(x[i] - fround(scale * l));
      sum = fround(sum + fround(fround(weights[i] * error) * error));
    }
    if (sum < best) {
      best = sum;
      inverse = candidate;
    }
  }
  let sumLx = 0;
  let sumL2 = 0;
  for (let i = 0; i < count; i++) {
    const l = Math.min(top, nearestInt(inverse * x[i]));
    codes[i] = l;
    sumLx = fround(sumLx + fround(fround(weights[i] * x[i]) * l));
    sumL2 = fround(sumL2 + fround(fround(weights[i] * l) * l));
  }
  for (let round = 0; round < 5; round++) {
    let changed = false;
    for (let i = 0; i < count; i++) {
      const w = weights[i];
      const l = codes[i];
      let lx = fround(sumLx - fround(fround(w * x[i]) * l));
      let l2 = fround(sumL2 - fround(fround(w * l) * l));
      if (!(lx > 0 && l2 > 0)) continue;
      const moved = Math.min(top, nearestInt(fround(fround(x[i] * l2) / lx)));
      if (moved === l) continue;
      lx = fround(lx + fround(fround(w * x[i]) * moved));
      l2 = fround(l2 + fround(fround(w * moved) * moved));
      if (fround(fround(lx * lx) * sumL2) > fround(fround(sumLx * sumLx) * l2)) {
        codes[i] = moved;
        sumLx = lx;
        sumL2 = l2;
        changed = true;
      }
    }
    if (!changed) break;
  }
  return sumL2 > 0 ? fround(sumLx / sumL2) : 0;
}
