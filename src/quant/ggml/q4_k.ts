/**
 * Q4_K and Q5_K: 256 elements, 4 or 5 bits each, in eight sub-blocks with a 6-bit scale and a 6-bit minimum. x̂ = d·s·q − dmin·m.
 * d float16 · dmin float16 · 12 bytes of scales and minima · in Q5_K 32 bytes of fifth bits (element j in byte j mod 32, bit
 * ⌊j/32⌋) · 128 bytes of nibbles: of each 64, element j in byte j mod 32, low half first.
 */
import type { GridSearch } from "#kernels/scaleAndMin/reference";
import { getFloat16, putFloat16 } from "#quant/ggml/bytes";
import { fitPositiveScale } from "#quant/ggml/positiveScale";
import { nearestInt } from "#quant/ggml/rounding";
import { fitScaleAndMin, gridSearch } from "#quant/ggml/scaleAndMin";
import { getMin, getScale, putScales } from "#quant/ggml/sixBitScales";
import { importanceWeights, sumOfSquares } from "#quant/ggml/sums";
import { recodeWithMin } from "#quant/ggml/superBlock";
import type { GgmlType, Importance } from "#quant/ggml/types";

const { fround } = Math;
const codes = new Uint8Array(256);
const weights = new Float32Array(256);
const sums = new Float32Array(8);
const scales = new Float32Array(8);
const minima = new Float32Array(8);
const scaleCodes = new Uint8Array(8);
const minimumCodes = new Uint8Array(8);

const plain4 = gridSearch(15, -1, 0.1, 20);
const plain5 = gridSearch(31, -0.5, 0.1, 15);
const weighted4 = gridSearch(15, -0.9, 0.05, 36);
const weighted5 = gridSearch(31, -0.9, 0.05, 36);

export const q4_k: GgmlType = {
  id: 12,
  elements: 256,
  bytes: 144,
  scaleBytes: 16,
  encode(x, from, out, to, importance) {
    encodeScales(x, from, importance === undefined ? plain4 : weighted4, out, to, importance);
    putNibblesOf64(out, to + 16);
  },
  decode(blocks, from, out, to) {
    decodeBlock(blocks, from, from + 16, -1, out, to);
  },
};

export const q5_k: GgmlType = {
  id: 13,
  elements: 256,
  bytes: 176,
  scaleBytes: 16,
  encode(x, from, out, to, importance) {
    encodeScales(x, from, importance === undefined ? plain5 : weighted5, out, to, importance);
    out.fill(0, to + 16, to + 48);
    for (let j = 0; j < 256; j++) out[to + 16 + (j & 31)] |= (codes[j] >>> 4) << (j >>> 5);
    putNibblesOf64(out, to + 48);
  },
  decode(blocks, from, out, to) {
    decodeBlock(blocks, from, from + 48, from + 16, out, to);
  },
};

/** Writes the first 16 bytes, and the codes to `codes`. */
function encodeScales(
  x: Float32Array,
  from: number,
  search: GridSearch,
  out: Uint8Array,
  to: number,
  importance: Importance | undefined,
): void {
  let d: number;
  let dmin: number;
  if (importance === undefined) {
    for (let j = 0; j < 256; j += 32) {
      const rootMeanSquare = fround(Math.sqrt(fround(sumOfSquares(x, from + j, 32) / 32)));
      for (let l = j; l < j + 32; l++) weights[l] = rootMeanSquare + Math.abs(x[from + l]);
    }
    fitScaleAndMin(x, from, 32, weights, search, codes, scales, minima);
    d = roundScales(scales, scaleCodes);
    dmin = roundScales(minima, minimumCodes);
  } else {
    const meanSquare = fround(fround(2 * sumOfSquares(x, from, 256)) / 256);
    for (let j = 0; j < 256; j += 32)
      sums[j >>> 5] = importanceWeights(x, from + j, 32, importance.values, meanSquare, weights, j);
    fitScaleAndMin(x, from, 32, weights, search, codes, scales, minima);
    d = fitPositiveScale(scales, 63, sums, scaleCodes);
    dmin = fitPositiveScale(minima, 63, sums, minimumCodes);
  }
  putFloat16(out, to, d);
  putFloat16(out, to + 2, dmin);
  putScales(scaleCodes, minimumCodes, out, to + 4);
  d = getFloat16(out, to);
  dmin = getFloat16(out, to + 2);
  for (let j = 0; j < 8; j++) {
    const scale = fround(d * getScale(out, to + 4, j));
    const minimum = fround(dmin * getMin(out, to + 4, j));
    recodeWithMin(x, from + 32 * j, 32, scale, minimum, search.top, codes, 32 * j);
  }
}

/** Codes with the largest of the numbers at 63, and the scale of that. A negative one, as a byte, is above 63 too. */
function roundScales(x: Float32Array, to: Uint8Array): number {
  let largest = 0;
  for (let j = 0; j < 8; j++) if (x[j] > largest) largest = x[j];
  const inverse = largest > 0 ? fround(63 / largest) : 0;
  for (let j = 0; j < 8; j++) to[j] = Math.min(63, nearestInt(inverse * x[j]) & 255);
  return fround(largest / 63);
}

function putNibblesOf64(out: Uint8Array, to: number): void {
  for (let group = 0; group < 4; group++) {
    for (let l = 0, i = 64 * group; l < 32; l++, i++) out[to + 32 * group + l] = (codes[i] & 15) | (codes[i + 32] << 4);
  }
}

/** `fifths` is where the fifth bits lie, or −1. */
function decodeBlock(
  blocks: Uint8Array,
  from: number,
  nibbles: number,
  fifths: number,
  out: Float32Array,
  to: number,
): void {
  const d = getFloat16(blocks, from);
  const dmin = getFloat16(blocks, from + 2);
  for (let j = 0; j < 8; j++) {
    const scale = d * getScale(blocks, from + 4, j);
    const minimum = dmin * getMin(blocks, from + 4, j);
    const first = nibbles + 32 * (j >>> 1);
    const shift = 4 * (j & 1);
    for (let l = 0; l < 32; l++) {
      const fifth = fifths < 0 ? 0 : ((blocks[fifths + l] >>> j) & 1) << 4;
      out[to + 32 * j + l] = scale * (((blocks[first + l] >>> shift) & 15) | fifth) - minimum;
    }
  }
}
