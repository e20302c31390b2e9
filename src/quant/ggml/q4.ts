/** Q4_0 and Q4_1: 32 elements, 4 bits each. x̂ = d·(q − 8), or d·q + m. */
import { q4_0 as q4_0Blocks, q4_0Block } from "#kernels/q4_0/reference";
import { fastQ4_0 } from "#kernels/q4_0/wasm";
import { getFloat16, putFloat16, putNibbles } from "#quant/ggml/bytes";
import { onEngine } from "#quant/ggml/engine";
import { fitScaleAndMin, gridSearch } from "#quant/ggml/scaleAndMin";
import { fitSignedScale } from "#quant/ggml/signedScale";
import { importanceWeights } from "#quant/ggml/sums";
import type { GgmlType } from "#quant/ggml/types";

const { fround } = Math;
const codes = new Uint8Array(32);
const weights = new Float32Array(32);
const scale = new Float32Array(1);
const minimum = new Float32Array(1);
const search = gridSearch(15, -0.9, 0.05, 36);
let all: typeof q4_0Blocks | undefined;

/** d float16 · 16 bytes of nibbles. The value of largest magnitude is code 0: d = extreme / −8. */
export const q4_0: GgmlType = {
  id: 2,
  elements: 32,
  bytes: 18,
  scaleBytes: 2,
  encodeAll(x, out) {
    all ??= onEngine(fastQ4_0, q4_0Blocks);
    all(x, out);
  },
  encode(x, from, out, to, importance) {
    if (importance === undefined) q4_0Block(x, from, out, to);
    else {
      importanceWeights(x, from, 32, importance.values, importance.rowMeanSquare, weights);
      fitSignedScale(x, from, 32, 8, weights, 0, codes, scale);
      putFloat16(out, to, scale[0]);
      putNibbles(codes, 0, out, to + 2);
    }
  },
  decode(blocks, from, out, to) {
    const d = getFloat16(blocks, from);
    for (let j = 0; j < 16; j++) {
      const pair = blocks[from + 2 + j];
      out[to + j] = ((pair & 15) - 8) * d;
      out[to + j + 16] = ((pair >>> 4) - 8) * d;
    }
  },
};

/** d float16 · m float16 · 16 bytes of nibbles. d = (max − min)/15, m = min. */
export const q4_1: GgmlType = {
  id: 3,
  elements: 32,
  bytes: 20,
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
      const d = fround(fround(max - min) / 15);
      const inverse = d === 0 ? 0 : fround(1 / d);
      putFloat16(out, to, d);
      putFloat16(out, to + 2, min);
      for (let j = 0; j < 16; j++) {
        const low = Math.min(15, fround(fround(fround(x[from + j] - min) * inverse) + 0.5) | 0);
        const high = Math.min(15, fround(fround(fround(x[from + j + 16] - min) * inverse) + 0.5) | 0);
        out[to + 4 + j] = low | (high << 4);
      }
    } else {
      importanceWeights(x, from, 32, importance.values, importance.rowMeanSquare, weights);
      fitScaleAndMin(x, from, 32, weights, search, codes, scale, minimum);
      putFloat16(out, to, scale[0]);
      putFloat16(out, to + 2, -minimum[0]);
      putNibbles(codes, 0, out, to + 4);
    }
  },
  decode(blocks, from, out, to) {
    const d = getFloat16(blocks, from);
    const m = getFloat16(blocks, from + 2);
    for (let j = 0; j < 16; j++) {
      const pair = blocks[from + 4 + j];
      out[to + j] = (pair & 15) * d + m;
      out[to + j + 16] = (pair >>> 4) * d + m;
    }
  },
};
