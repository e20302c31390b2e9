/** TQ1_0 and TQ2_0: 256 elements −d, 0 or d (BitNet b1.58, TriLM). d = max|x|; q = round(x/d) + 1, halves away from zero. */
import { getFloat16, putFloat16 } from "#quant/ggml/bytes";
import { largestMagnitude } from "#quant/ggml/sums";
import type { GgmlType } from "#quant/ggml/types";

const { fround } = Math;

/**
 * 48 bytes of five trits · 4 bytes of four · d float16. Five trits are a number v < 243, stored as ⌈256·v/243⌉, so that each
 * multiplication by 3 (mod 256) brings up the next one. Of the first 160 elements byte j holds j, j + 32, …; of the next 80 j, j + 16,
 * …; of the last 16 j, j + 4, ….
 */
export const tq1_0: GgmlType = {
  id: 34,
  elements: 256,
  bytes: 54,
  scaleBytes: 2,
  encode(x, from, out, to) {
    const d = largestMagnitude(x, from, 256);
    const inverse = d === 0 ? 0 : fround(1 / d);
    for (let j = 0; j < 32; j++) out[to + j] = fiveTrits(x, from + j, 32, 5, inverse);
    for (let j = 0; j < 16; j++) out[to + 32 + j] = fiveTrits(x, from + 160 + j, 16, 5, inverse);
    for (let j = 0; j < 4; j++) out[to + 48 + j] = fiveTrits(x, from + 240 + j, 4, 4, inverse);
    putFloat16(out, to + 52, d);
  },
  decode(blocks, from, out, to) {
    const d = getFloat16(blocks, from + 52);
    for (let i = 0; i < 160; i++) out[to + i] = (trit(blocks[from + (i & 31)], i >>> 5) - 1) * d;
    for (let i = 0; i < 80; i++) out[to + 160 + i] = (trit(blocks[from + 32 + (i & 15)], i >>> 4) - 1) * d;
    for (let i = 0; i < 16; i++) out[to + 240 + i] = (trit(blocks[from + 48 + (i & 3)], i >>> 2) - 1) * d;
  },
};

/** 64 bytes of four 2-bit codes · d float16. Of each 128 elements byte j holds j, j + 32, …. */
export const tq2_0: GgmlType = {
  id: 35,
  elements: 256,
  bytes: 66,
  scaleBytes: 2,
  encode(x, from, out, to) {
    const d = largestMagnitude(x, from, 256);
    const inverse = d === 0 ? 0 : fround(1 / d);
    for (let j = 0; j < 64; j++) {
      const i = from + 128 * (j >>> 5) + (j & 31);
      let byte = 0;
      for (let k = 0; k < 4; k++) byte |= (tritOf(x[i + 32 * k], inverse) & 3) << (2 * k);
      out[to + j] = byte;
    }
    putFloat16(out, to + 64, d);
  },
  decode(blocks, from, out, to) {
    const d = getFloat16(blocks, from + 64);
    for (let i = 0; i < 256; i++) {
      const byte = blocks[from + 32 * (i >>> 7) + (i & 31)];
      out[to + i] = (((byte >>> (2 * ((i >>> 5) & 3))) & 3) - 1) * d;
    }
  },
};

function tritOf(x: number, inverse: number): number {
  const v = fround(x * inverse);
  return ((v < 0 ? v - 0.5 : v + 0.5) | 0) + 1;
}

function fiveTrits(x: Float32Array, first: number, step: number, count: number, inverse: number): number {
  let v = 0;
  for (let k = 0; k < 5; k++) v = 3 * v + (k < count ? tritOf(x[first + k * step], inverse) : 0);
  return ((v * 256 + 242) / 243) | 0;
}

function trit(byte: number, index: number): number {
  return (((byte * powersOf3[index]) & 255) * 3) >>> 8;
}

const powersOf3 = [1, 3, 9, 27, 81];
