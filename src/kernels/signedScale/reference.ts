/**
 * Searches for the scale d of codes l ∈ [−top, top − 1] that leaves the least Σ w (x − d·l)². For given codes the best is
 * d = Σ w x l / Σ w l², and leaves Σ w x² − (Σ w x l)² / Σ w l²: so codes with greater (Σ w x l)² / Σ w l² are better. In float32,
 * rounding after every operation, sums from the first to the last: `make_qx_quants` of ggml-quants.c.
 */
const { fround } = Math;

/** 1.5·2²³: adding it to a float32 of magnitude below 2²² leaves the nearest integer, ties to even, in the sum's last bits. */
const roundingShift = 12582912;

/** A run whose magnitudes stay below is a run of zeros. */
export const negligible = fround(1e-15);

/** Most elements that a run has. */
export const longestRun = 32;

/** Grids that are tried: the extreme at the lowest code, then up to 0.9 steps inside and outside of it. Of each, minus the steps. */
export function signedGrids(top: number): Float32Array {
  const shifts = [0, ...Array.from({ length: 19 }, (_, i) => i - 9).filter((i) => i !== 0)];
  return Float32Array.from(shifts, (i) => -fround(top + fround(fround(0.1) * i)));
}

const ownWeights = new Float32Array(longestRun);
const weighted = new Float32Array(longestRun);

/**
 * For each of scales.length runs of `run` elements, the first at x[from]: writes codes + top to codes[0], …, and the scale. Weights,
 * the first at weights[weightsAt], default to x². A run of zeros has scale 0 and, as there, codes 0. `grids` are those of `top`.
 */
export function signedScale(
  x: Float32Array,
  from: number,
  run: number,
  top: number,
  grids: Float32Array,
  weights: Float32Array | undefined,
  weightsAt: number,
  codes: Uint8Array,
  scales: Float32Array,
): void {
  for (let index = 0, at = 0; index < scales.length; index++, at += run) {
    for (let i = 0; i < run; i++) {
      const v = x[from + at + i];
      ownWeights[i] = weights === undefined ? v * v : weights[weightsAt + at + i];
      weighted[i] = ownWeights[i] * v;
    }
    scales[index] = fit(x, from + at, run, top, grids, codes, at);
  }
}

function fit(
  x: Float32Array,
  from: number,
  run: number,
  top: number,
  grids: Float32Array,
  codes: Uint8Array,
  at: number,
): number {
  let largest = 0;
  for (let i = from; i < from + run; i++) if (Math.abs(x[i]) > Math.abs(largest)) largest = x[i];
  if (Math.abs(largest) < negligible) {
    codes.fill(0, at, at + run);
    return 0;
  }
  let scale = 0;
  let best = 0;
  let chosen = 0;
  for (let k = 0; k < grids.length; k++) {
    const inverse = fround(grids[k] / largest);
    let sumLx = 0;
    let sumL2 = 0;
    for (let i = 0; i < run; i++) {
      const l = code(inverse, x[from + i], top);
      sumLx = fround(sumLx + fround(weighted[i] * l));
      sumL2 = fround(sumL2 + fround(fround(ownWeights[i] * l) * l));
    }
    // the first grid stands whatever it is worth
    if (k > 0 && !(sumL2 > 0 && fround(sumLx * sumLx) > fround(best * sumL2))) continue;
    scale = sumL2 === 0 ? 0 : fround(sumLx / sumL2);
    best = fround(scale * sumLx);
    chosen = inverse;
  }
  for (let i = 0; i < run; i++) codes[at + i] = code(chosen, x[from + i], top) + top;
  return scale;
}

function code(inverse: number, x: number, top: number): number {
  const l = (fround(fround(inverse * x) + roundingShift) - roundingShift) | 0;
  return l < -top ? -top : l >= top ? top - 1 : l;
}
