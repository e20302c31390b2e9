/**
 * IQ4_NL and IQ4_XS: 4-bit codes that name one of sixteen levels, denser near zero. x̂ = d·level[q], or d·(s − 32)·level[q] with a
 * 6-bit scale for each 32 of 256 elements. What files hold (`ggml_quantize_chunk`) comes from a search over fifteen grids; a running
 * llama.cpp codes IQ4_NL without (`quantize_row_iq4_nl_ref`), which is not done here.
 */
import { negligible } from "#kernels/signedScale/reference";
import { getFloat16, putFloat16, putNibbles } from "#quant/ggml/bytes";
import { nearestInt } from "#quant/ggml/rounding";
import { extreme, importanceWeights, sumOfSquares } from "#quant/ggml/sums";
import type { GgmlType, Importance } from "#quant/ggml/types";

const { fround } = Math;
const levels = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
const codes = new Uint8Array(256);
const weights = new Float32Array(32);
const scales = new Float32Array(8);

/** Nearest level of x, of two equally near ones the greater: by 2x, as borders are then integers from −231 to 202. */
const nearest = Uint8Array.from({ length: 202 + 231 }, (_, i) => {
  const twice = i - 231;
  return levels.findLastIndex((level, k) => k === 0 || twice >= levels[k - 1] + level);
});

function nearestLevel(x: number): number {
  const twice = 2 * x;
  if (!(twice >= -231)) return 0;
  return twice >= 202 ? 15 : nearest[Math.floor(twice) + 231];
}

/** d float16 · 16 bytes of nibbles, for 32 elements. */
export const iq4_nl: GgmlType = {
  id: 20,
  elements: 32,
  bytes: 18,
  scaleBytes: 2,
  encode(x, from, out, to, importance) {
    const d = fitScale(x, from, fround(sumOfSquares(x, from, 32) * fround(2 / 32)), importance);
    putFloat16(out, to, d);
    const inverse = d === 0 ? 0 : fround(1 / d);
    for (let j = 0; j < 32; j++) codes[j] = nearestLevel(fround(inverse * x[from + j]));
    putNibbles(codes, 0, out, to + 2);
  },
  decode(blocks, from, out, to) {
    decodeNibbles(blocks, from + 2, getFloat16(blocks, from), out, to);
  },
};

/** d float16 · upper two bits of eight scales, uint16 · their low halves, 4 bytes · 128 bytes of nibbles, 16 for each 32 elements. */
export const iq4_xs: GgmlType = {
  id: 23,
  elements: 256,
  bytes: 136,
  scaleBytes: 8,
  encode(x, from, out, to, importance) {
    const meanSquare = fround(sumOfSquares(x, from, 256) * fround(2 / 256));
    for (let j = 0; j < 8; j++) scales[j] = fitScale(x, from + 32 * j, meanSquare, importance);
    const d = fround(-extreme(scales, 0, 8) / 32);
    const inverse = d === 0 ? 0 : fround(1 / d);
    putFloat16(out, to, d);
    out.fill(0, to + 2, to + 8);
    for (let j = 0; j < 8; j++) {
      const scale = Math.max(-32, Math.min(31, nearestInt(fround(inverse * scales[j]))));
      const step = fround(d * scale);
      const perStep = step === 0 ? 0 : fround(1 / step);
      for (let l = 32 * j; l < 32 * j + 32; l++) codes[l] = nearestLevel(fround(perStep * x[from + l]));
      putNibbles(codes, 32 * j, out, to + 8 + 16 * j);
      out[to + 2 + (j >>> 2)] |= ((scale + 32) >>> 4) << (2 * (j & 3));
      out[to + 4 + (j >>> 1)] |= ((scale + 32) & 15) << (4 * (j & 1));
    }
  },
  decode(blocks, from, out, to) {
    const d = getFloat16(blocks, from);
    for (let j = 0; j < 8; j++) {
      const low = (blocks[from + 4 + (j >>> 1)] >>> (4 * (j & 1))) & 15;
      const high = (blocks[from + 2 + (j >>> 2)] >>> (2 * (j & 3))) & 3;
      decodeNibbles(blocks, from + 8 + 16 * j, d * ((low | (high << 4)) - 32), out, to + 32 * j);
    }
  },
};

/**
 * The scale of 32 elements: of grids with the extreme at −127 − 7 … −127 + 7, the one with the greatest
 * (Σ w x level)² / Σ w level² (see signedScale.ts). Weights default to x².
 */
function fitScale(x: Float32Array, from: number, meanSquare: number, importance: Importance | undefined): number {
  if (importance === undefined) for (let j = 0; j < 32; j++) weights[j] = x[from + j] * x[from + j];
  else importanceWeights(x, from, 32, importance.values, meanSquare, weights);
  const largest = extreme(x, from, 32);
  if (Math.abs(largest) < negligible) return 0;
  let d = 0;
  let best = 0;
  for (let shift = -8; shift <= 7; shift++) {
    // the first grid stands whatever it is worth; its inverse is computed in two steps
    const first = shift === -8;
    const inverse = first ? fround(1 / fround(-largest / levels[0])) : fround((shift + levels[0]) / largest);
    let sumQx = 0;
    let sumQ2 = 0;
    for (let j = 0; j < 32; j++) {
      const v = x[from + j];
      const level = levels[nearestLevel(fround(inverse * v))];
      const wq = fround(weights[j] * level);
      sumQx = fround(sumQx + fround(wq * v));
      sumQ2 = fround(sumQ2 + fround(wq * level));
    }
    if (first ? sumQ2 > 0 : sumQ2 > 0 && fround(sumQx * sumQx) > fround(best * sumQ2)) {
      d = fround(sumQx / sumQ2);
      best = fround(d * sumQx);
    }
  }
  return d;
}

function decodeNibbles(blocks: Uint8Array, from: number, d: number, out: Float32Array, to: number): void {
  for (let j = 0; j < 16; j++) {
    const pair = blocks[from + j];
    out[to + j] = d * levels[pair & 15];
    out[to + j + 16] = d * levels[pair >>> 4];
  }
}
