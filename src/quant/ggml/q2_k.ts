/**
 * Q2_K: 256 elements, 2 bits each, in sixteen sub-blocks with a 4-bit scale and a 4-bit minimum. x̂ = d·s·q − dmin·m.
 * 16 bytes of scales (low half) and minima (high half) · 64 bytes of 2-bit codes · d float16 · dmin float16.
 */
import { getFloat16, putFloat16 } from "#quant/ggml/bytes";
import { fitPositiveScale } from "#quant/ggml/positiveScale";
import { nearestInt } from "#quant/ggml/rounding";
import { fitScaleAndMin, gridSearch } from "#quant/ggml/scaleAndMin";
import { importanceWeights, sumOfSquares } from "#quant/ggml/sums";
import { putPairs, recodeWithMin } from "#quant/ggml/superBlock";
import type { GgmlType } from "#quant/ggml/types";

const { fround } = Math;
const codes = new Uint8Array(256);
const weights = new Float32Array(256);
const sums = new Float32Array(16);
const scales = new Float32Array(16);
const minima = new Float32Array(16);
const scaleCodes = new Uint8Array(16);
const minimumCodes = new Uint8Array(16);
const plain = gridSearch(3, -0.5, 0.1, 15, true);
const weighted = gridSearch(3, -0.9, 0.05, 36);

export const q2_k: GgmlType = {
  id: 10,
  elements: 256,
  bytes: 84,
  scaleBytes: 20,
  encode(x, from, out, to, importance) {
    let d: number;
    let dmin: number;
    if (importance === undefined) {
      for (let i = 0; i < 256; i++) weights[i] = Math.abs(x[from + i]);
      fitScaleAndMin(x, from, 16, weights, plain, codes, scales, minima);
      d = roundScales(scales, scaleCodes);
      dmin = roundScales(minima, minimumCodes);
    } else {
      const meanSquare = fround(sumOfSquares(x, from, 256) / 256);
      for (let j = 0; j < 256; j += 16)
        sums[j >>> 4] = importanceWeights(x, from + j, 16, importance.values, meanSquare, weights, j);
      fitScaleAndMin(x, from, 16, weights, weighted, codes, scales, minima);
      d = fitPositiveScale(scales, 15, sums, scaleCodes);
      dmin = fitPositiveScale(minima, 15, sums, minimumCodes);
    }
    putFloat16(out, to + 80, d);
    putFloat16(out, to + 82, dmin);
    d = getFloat16(out, to + 80);
    dmin = getFloat16(out, to + 82);
    for (let j = 0; j < 16; j++) {
      const shared = scaleCodes[j] | (minimumCodes[j] << 4);
      out[to + j] = shared;
      recodeWithMin(
        x,
        from + 16 * j,
        16,
        fround(d * (out[to + j] & 15)),
        fround(dmin * (out[to + j] >>> 4)),
        3,
        codes,
        16 * j,
      );
    }
    putPairs(codes, out, to + 16);
  },
  decode(blocks, from, out, to) {
    const d = getFloat16(blocks, from + 80);
    const dmin = getFloat16(blocks, from + 82);
    for (let j = 0; j < 16; j++) {
      const shared = blocks[from + j];
      const scale = d * (shared & 15);
      const minimum = dmin * (shared >>> 4);
      const first = from + 16 + 32 * (j >>> 3) + 16 * (j & 1);
      const shift = j & 6;
      for (let l = 0; l < 16; l++) out[to + 16 * j + l] = scale * ((blocks[first + l] >>> shift) & 3) - minimum;
    }
  },
};

/** Codes with the largest of the numbers at 15, and the scale of that. */
function roundScales(x: Float32Array, to: Uint8Array): number {
  let largest = 0;
  for (let j = 0; j < 16; j++) if (x[j] > largest) largest = x[j];
  const inverse = largest > 0 ? fround(15 / largest) : 0;
  for (let j = 0; j < 16; j++) to[j] = nearestInt(inverse * x[j]);
  return fround(largest / 15);
}
