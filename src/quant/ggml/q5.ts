/** Q5_0 and Q5_1: 32 elements, 5 bits each; fifth bits lie apart, element j's in bit j. x̂ = d·(q − 16), or d·q + m. */
import { getFloat16, putFloat16 } from "#quant/ggml/bytes";
import { fitScaleAndMin, gridSearch } from "#quant/ggml/scaleAndMin";
import { fitSignedScale } from "#quant/ggml/signedScale";
import { extreme, importanceWeights } from "#quant/ggml/sums";
import type { GgmlType } from "#quant/ggml/types";

const { fround } = Math;
const codes = new Uint8Array(32);
const weights = new Float32Array(32);
const scale = new Float32Array(1);
const minimum = new Float32Array(1);
const search = gridSearch(31, -0.9, 0.05, 36);

/** d float16 · fifth bits, uint32 · 16 bytes of nibbles. The value of largest magnitude is code 0: d = extreme / −16. */
export const q5_0: GgmlType = {
  id: 6,
  elements: 32,
  bytes: 22,
  scaleBytes: 2,
  encode(x, from, out, to, importance) {
    if (importance === undefined) {
      const d = fround(extreme(x, from, 32) / -16);
      const inverse = d === 0 ? 0 : fround(1 / d);
      putFloat16(out, to, d);
      for (let j = 0; j < 32; j++) codes[j] = Math.min(31, fround(fround(x[from + j] * inverse) + 16.5) | 0);
    } else {
      importanceWeights(x, from, 32, importance.values, importance.rowMeanSquare, weights);
      fitSignedScale(x, from, 32, 16, weights, 0, codes, scale);
      putFloat16(out, to, scale[0]);
    }
    putCodes(out, to + 2);
  },
  decode(blocks, from, out, to) {
    const d = getFloat16(blocks, from);
    for (let j = 0; j < 32; j++) out[to + j] = (getCode(blocks, from + 2, j) - 16) * d;
  },
};

/** d float16 · m float16 · fifth bits, uint32 · 16 bytes of nibbles. d = (max − min)/31, m = min. */
export const q5_1: GgmlType = {
  id: 7,
  elements: 32,
  bytes: 24,
  scaleBytes: 4,
  encode(x, from, out, to, importance) {
    if (importance === undefined) {
      let min = x[from];
      let max = min;
      for (let i = from + 1; i < from + 32; i++) {
        const v = x[i];
        if (v < min) min = v;
        if (v > max) max = v;
      }
      const d = fround(fround(max - min) / 31);
      const inverse = d === 0 ? 0 : fround(1 / d);
      putFloat16(out, to, d);
      putFloat16(out, to + 2, min);
      for (let j = 0; j < 32; j++) codes[j] = fround(fround(fround(x[from + j] - min) * inverse) + 0.5) | 0;
    } else {
      importanceWeights(x, from, 32, importance.values, importance.rowMeanSquare, weights);
      fitScaleAndMin(x, from, 32, weights, search, codes, scale, minimum);
      putFloat16(out, to, scale[0]);
      putFloat16(out, to + 2, -minimum[0]);
    }
    putCodes(out, to + 4);
  },
  decode(blocks, from, out, to) {
    const d = getFloat16(blocks, from);
    const m = getFloat16(blocks, from + 2);
    for (let j = 0; j < 32; j++) out[to + j] = getCode(blocks, from + 4, j) * d + m;
  },
};

function putCodes(out: Uint8Array, to: number): void {
  let fifths = 0;
  for (let j = 0; j < 16; j++) {
    const low = codes[j];
    const high = codes[j + 16];
    out[to + 4 + j] = (low & 15) | (high << 4);
    fifths |= ((low >>> 4) << j) | ((high >>> 4) << (j + 16));
  }
  for (let k = 0; k < 4; k++) out[to + k] = fifths >>> (8 * k);
}

function getCode(blocks: Uint8Array, from: number, j: number): number {
  const fifth = (blocks[from + (j >>> 3)] >>> (j & 7)) & 1;
  return ((blocks[from + 4 + (j & 15)] >>> (j < 16 ? 0 : 4)) & 15) | (fifth << 4);
}
