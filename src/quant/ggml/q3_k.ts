/**
 * Q3_K: 256 elements, 3 bits each, in sixteen sub-blocks with a signed 6-bit scale. x̂ = d·(s − 32)·(q − 4).
 * 32 bytes of third bits (element j in byte j mod 32, bit ⌊j/32⌋) · 64 bytes of low bits · 12 bytes of scales · d float16.
 */
import { getFloat16, putFloat16 } from "#quant/ggml/bytes";
import { nearestInt } from "#quant/ggml/rounding";
import { fitSignedScale, refineSignedScale } from "#quant/ggml/signedScale";
import { importanceWeights, sumOfSquares } from "#quant/ggml/sums";
import { putPairs, recodeSigned } from "#quant/ggml/superBlock";
import type { GgmlType } from "#quant/ggml/types";

const { fround } = Math;
const codes = new Uint8Array(256);
const weights = new Float32Array(256);
const sums = new Float32Array(16);
const scales = new Float32Array(16);
const scaleOfScales = new Float32Array(1);
const scaleCodes = new Uint8Array(16);

export const q3_k: GgmlType = {
  id: 11,
  elements: 256,
  bytes: 110,
  scaleBytes: 14,
  encode(x, from, out, to, importance) {
    let d: number;
    if (importance === undefined) {
      for (let j = 0; j < 16; j++) scales[j] = refineSignedScale(x, from + 16 * j, 16, 4, codes, 16 * j);
      d = roundScales();
    } else {
      const meanSquare = fround(fround(2 * sumOfSquares(x, from, 256)) / 256);
      for (let j = 0; j < 256; j += 16)
        sums[j >>> 4] = importanceWeights(x, from + j, 16, importance.values, meanSquare, weights, j);
      fitSignedScale(x, from, 16, 4, weights, 0, codes, scales);
      fitSignedScale(scales, 0, 16, 32, sums, 0, scaleCodes, scaleOfScales);
      d = scaleOfScales[0];
    }
    putScaleCodes(out, to + 96);
    putFloat16(out, to + 108, d);
    d = getFloat16(out, to + 108);
    for (let j = 0; j < 16; j++) recodeSigned(x, from + 16 * j, fround(d * (scaleCodes[j] - 32)), 4, codes, 16 * j);
    out.fill(0, to, to + 32);
    for (let j = 0; j < 256; j++) out[to + (j & 31)] |= (codes[j] >>> 2) << (j >>> 5);
    putPairs(codes, out, to + 32);
  },
  decode(blocks, from, out, to) {
    const d = getFloat16(blocks, from + 108);
    for (let j = 0; j < 16; j++) {
      const scale = d * (getScaleCode(blocks, from + 96, j) - 32);
      const third = from + 16 * (j & 1);
      const low = from + 32 + 32 * (j >>> 3) + 16 * (j & 1);
      for (let l = 0; l < 16; l++) {
        const q = ((blocks[low + l] >>> (j & 6)) & 3) | (((blocks[third + l] >>> (j >>> 1)) & 1) << 2);
        out[to + 16 * j + l] = scale * (q - 4);
      }
    }
  },
};

/** Codes with the scale of largest magnitude at 0, that is −32. */
function roundScales(): number {
  let largest = 0;
  for (let j = 0; j < 16; j++) if (Math.abs(scales[j]) > Math.abs(largest)) largest = scales[j];
  if (largest === 0) {
    scaleCodes.fill(0);
    return 0;
  }
  const inverse = fround(-32 / largest);
  for (let j = 0; j < 16; j++) scaleCodes[j] = Math.max(-32, Math.min(31, nearestInt(inverse * scales[j]))) + 32;
  return fround(1 / inverse);
}

/** Bytes 0–7 hold the low halves of scales 0–7 and, in their upper halves, 8–15; bytes 8–11 the upper two bits: 2⌊j/4⌋ of byte 8 + j mod 4. */
function putScaleCodes(out: Uint8Array, to: number): void {
  for (let j = 0; j < 8; j++) out[to + j] = (scaleCodes[j] & 15) | (scaleCodes[j + 8] << 4);
  for (let j = 0; j < 4; j++) {
    out[to + 8 + j] =
      (scaleCodes[j] >>> 4) |
      ((scaleCodes[j + 4] >>> 4) << 2) |
      ((scaleCodes[j + 8] >>> 4) << 4) |
      ((scaleCodes[j + 12] >>> 4) << 6);
  }
}

function getScaleCode(blocks: Uint8Array, from: number, j: number): number {
  const low = (blocks[from + (j & 7)] >>> (j < 8 ? 0 : 4)) & 15;
  return low | (((blocks[from + 8 + (j & 3)] >>> (2 * (j >>> 2))) & 3) << 4);
}
