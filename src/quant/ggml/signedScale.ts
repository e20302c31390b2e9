/** Scales of signed codes: the search (`make_qx_quants`) and, of ggml-quants.c too, `make_q3_quants`. */
import { signedGrids, negligible, signedScale } from "#kernels/signedScale/reference";
import { fastSignedScale } from "#kernels/signedScale/wasm";
import { onEngine } from "#quant/ggml/engine";
import { nearestInt } from "#quant/ggml/rounding";
import { extreme } from "#quant/ggml/sums";

const { fround } = Math;
const grids = { 4: signedGrids(4), 8: signedGrids(8), 16: signedGrids(16), 32: signedGrids(32) } as const;
let kernel: typeof signedScale | undefined;

/** The kernel `signedScale`, as fast as it is here: see its reference. */
export function fitSignedScale(
  x: Float32Array,
  from: number,
  run: number,
  top: keyof typeof grids,
  weights: Float32Array | undefined,
  weightsAt: number,
  codes: Uint8Array,
  scales: Float32Array,
): void {
  kernel ??= onEngine(fastSignedScale, signedScale);
  kernel(x, from, run, top, grids[top], weights, weightsAt, codes, scales);
}

const signed = new Int8Array(16);

/**
 * The scale of one grid, whose codes are then moved one at a time while that helps: five rounds of coordinate descent. Weights
 * are x². Writes codes + top to codes[at], ….
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
