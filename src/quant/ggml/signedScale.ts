/**
 * Searches for the scale d of codes l ∈ [−top, top − 1] that leaves the least Σ w (x − d·l)². For given codes the best is
 * d = Σ w x l / Σ w l², and leaves Σ w x² − (Σ w x l)² / Σ w l²: so codes with greater (Σ w x l)² / Σ w l² are better.
 * `make_qx_quants` and `make_q3_quants` of ggml-quants.c.
 */
import { nearestInt, roundingShift } from "#quant/ggml/rounding";
import { extreme } from "#quant/ggml/sums";

const { fround } = Math;

/** A block whose magnitudes stay below is a block of zeros. */
export const negligible = fround(1e-15);

/** Nineteen grids are tried: the extreme at the lowest code, and up to 0.9 steps inside and outside of it. */
const shifts = Float32Array.from({ length: 19 }, (_, i) => fround(fround(0.1) * (i - 9)));
const ownWeights = new Float32Array(32);
const weighted = new Float32Array(32);

/** Writes codes + top to codes[at], …, and gives the scale. Weights default to x². All zeros: scale 0 and, as there, codes 0. */
export function fitSignedScale(
  x: Float32Array,
  from: number,
  count: number,
  top: number,
  weights: Float32Array | undefined,
  weightsAt: number,
  codes: Uint8Array,
  at: number,
): number {
  const largest = extreme(x, from, count);
  if (Math.abs(largest) < negligible) {
    codes.fill(0, at, at + count);
    return 0;
  }
  for (let i = 0; i < count; i++) {
    const v = x[from + i];
    ownWeights[i] = weights === undefined ? v * v : weights[weightsAt + i];
    weighted[i] = ownWeights[i] * v;
  }
  const bottom = -top;
  let scale = 0;
  let best = 0;
  // the unshifted grid comes first and stands even where it is no better than zeros
  for (let k = 0; k < shifts.length; k++) {
    const shift = shifts[k === 0 ? 9 : k <= 9 ? k - 1 : k];
    const inverse = fround(-fround(top + shift) / largest);
    let sumLx = 0;
    let sumL2 = 0;
    for (let i = 0; i < count; i++) {
      let l = (fround(fround(inverse * x[from + i]) + roundingShift) - roundingShift) | 0;
      l = l < bottom ? bottom : l >= top ? top - 1 : l;
      sumLx = fround(sumLx + fround(weighted[i] * l));
      sumL2 = fround(sumL2 + fround(fround(ownWeights[i] * l) * l));
    }
    if (k > 0 && !(sumL2 > 0 && fround(sumLx * sumLx) > fround(best * sumL2))) continue;
    scale = sumL2 === 0 ? 0 : fround(sumLx / sumL2);
    best = fround(scale * sumLx);
    for (let i = 0; i < count; i++) {
      const l = (fround(fround(inverse * x[from + i]) + roundingShift) - roundingShift) | 0;
      codes[at + i] = (l < bottom ? bottom : l >= top ? top - 1 : l) + top;
    }
  }
  return scale;
}

const signed = new Int8Array(16);

/**
 * The same for one grid, whose codes are then moved one at a time while that helps: five rounds of coordinate descent. Weights
 * are x². Writes codes + top.
 */
export function refineSignedScale(
  x: Float32Array,
  from: number,
  count: number,
  top: number,
  codes: Uint8Array,
  at: number,
): number {
  const largest = extreme(x, from, count);
  if (Math.abs(largest) < negligible) {
    codes.fill(0, at, at + count);
    return 0;
  }
  const inverse = fround(-top / largest);
  let sumLx = 0;
  let sumL2 = 0;
  for (let i = 0; i < count; i++) {
    const v = x[from + i];
    const l = clamp(nearestInt(inverse * v), -top, top - 1);
    signed[i] = l;
    const w = fround(v * v);
    sumLx = fround(sumLx + fround(fround(w * v) * l));
    sumL2 = fround(sumL2 + fround(fround(w * l) * l));
  }
  for (let round = 0; round < 5; round++) {
    let changed = false;
    for (let i = 0; i < count; i++) {
      const v = x[from + i];
      const l = signed[i];
      const w = fround(v * v);
      // the sums without this element
      let lx = fround(sumLx - fround(fround(w * v) * l));
      if (!(lx > 0)) continue;
      let l2 = fround(sumL2 - fround(fround(w * l) * l));
      const moved = clamp(nearestInt(fround(fround(v * l2) / lx)), -top, top - 1);
      if (moved === l) continue;
      lx = fround(lx + fround(fround(w * v) * moved));
      l2 = fround(l2 + fround(fround(w * moved) * moved));
      if (l2 > 0 && fround(fround(lx * lx) * sumL2) > fround(fround(sumLx * sumLx) * l2)) {
        signed[i] = moved;
        sumLx = lx;
        sumL2 = l2;
        changed = true;
      }
    }
    if (!changed) break;
  }
  for (let i = 0; i < count; i++) codes[at + i] = signed[i] + top;
  return sumL2 > 0 ? fround(sumLx / sumL2) : 0;
}

function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}
