/** Q8_0, Q8_1 and Q8_K: signed bytes. x̂ = d·q. The last two are what llama.cpp makes of activations, and carry sums of codes. */
import { q8_0 as q8_0Blocks, q8_0Block } from "#kernels/q8_0/reference";
import { fastQ8_0 } from "#kernels/q8_0/wasm";
import { getFloat16, putFloat16 } from "#quant/ggml/bytes";
import { onEngine } from "#quant/ggml/engine";
import { roundingShift } from "#quant/ggml/rounding";
import { extreme, largestMagnitude } from "#quant/ggml/sums";
import type { GgmlType } from "#quant/ggml/types";

const { fround } = Math;
const float = new Float32Array(1);
const floatBytes = new Uint8Array(float.buffer);
let all: typeof q8_0Blocks | undefined;

/** d float16 · 32 bytes. d = max|x|/127. */
export const q8_0: GgmlType = {
  id: 8,
  elements: 32,
  bytes: 34,
  scaleBytes: 2,
  encodeAll(x, out) {
    all ??= onEngine(fastQ8_0, q8_0Blocks);
    all(x, out);
  },
  encode: q8_0Block,
  decode(blocks, from, out, to) {
    getBytes(blocks, from + 2, 32, getFloat16(blocks, from), out, to);
  },
};

/** d float16 · s = d·Σq float16 · 32 bytes. (The sizes that gguf-py lists say 40 bytes: d and s as float32, as they once were.) */
export const q8_1: GgmlType = {
  id: 9,
  elements: 32,
  bytes: 36,
  scaleBytes: 4,
  internal: true,
  encode(x, from, out, to) {
    const d = fround(largestMagnitude(x, from, 32) / 127);
    putFloat16(out, to, d);
    putFloat16(out, to + 2, putRounded(x, from, d, out, to + 4) * d);
  },
  decode(blocks, from, out, to) {
    getBytes(blocks, from + 4, 32, getFloat16(blocks, from), out, to);
  },
};

/**
 * d float32 · 256 bytes · sixteen sums of 16 codes, int16. d = extreme/−127. For zeros the reference leaves the sums as they
 * lie in memory; here they are 0.
 */
export const q8_k: GgmlType = {
  id: 15,
  elements: 256,
  bytes: 292,
  scaleBytes: 36,
  internal: true,
  encode(x, from, out, to) {
    const largest = extreme(x, from, 256);
    const inverse = largest === 0 ? 0 : fround(-127 / largest);
    float[0] = largest === 0 ? 0 : 1 / inverse;
    for (let k = 0; k < 4; k++) out[to + k] = floatBytes[k];
    for (let group = 0; group < 16; group++) {
      let sum = 0;
      for (let j = 16 * group; j < 16 * group + 16; j++) {
        const q = Math.min(127, (fround(fround(inverse * x[from + j]) + roundingShift) - roundingShift) | 0);
        out[to + 4 + j] = q;
        sum += q;
      }
      out[to + 260 + 2 * group] = sum;
      out[to + 261 + 2 * group] = sum >> 8;
    }
  },
  decode(blocks, from, out, to) {
    for (let k = 0; k < 4; k++) floatBytes[k] = blocks[from + k];
    getBytes(blocks, from + 4, 256, float[0], out, to);
  },
};

/** Writes round(x/d), halves away from zero, of 32 elements, and gives their sum. */
function putRounded(x: Float32Array, from: number, d: number, out: Uint8Array, to: number): number {
  const inverse = d === 0 ? 0 : fround(1 / d);
  let sum = 0;
  for (let j = 0; j < 32; j++) {
    const v = fround(x[from + j] * inverse);
    const q = (v < 0 ? v - 0.5 : v + 0.5) | 0; // exact: float64 holds a float32 and a half
    out[to + j] = q;
    sum += q;
  }
  return sum;
}

function getBytes(blocks: Uint8Array, from: number, count: number, d: number, out: Float32Array, to: number): void {
  for (let j = 0; j < count; j++) out[to + j] = ((blocks[from + j] << 24) >> 24) * d;
}
