/**
 * MXFP4: 32 elements in float4 e2m1 with a power of two they share (OCP Microscaling 1.0). x̂ = 2^(e − 128)·value[q], values doubled
 * so that they are integers. e − 127 = ⌊log₂ max|x|⌋ − 2. The value nearest to x, of two equally near ones the smaller.
 * e uint8 · 16 bytes of nibbles.
 */
import { exponentOf } from "#math/minifloat";
import { largestMagnitude } from "#quant/ggml/sums";
import { putNibbles } from "#quant/ggml/bytes";
import type { GgmlType } from "#quant/ggml/types";

const values = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
const codes = new Uint8Array(32);

export const mxfp4: GgmlType = {
  id: 39,
  elements: 32,
  bytes: 17,
  scaleBytes: 1,
  encode(x, from, out, to) {
    const largest = largestMagnitude(x, from, 32);
    const exponent = largest === 0 ? 0 : (floorLog2(largest) + 125) & 255;
    out[to] = exponent;
    const perUnit = 2 ** (128 - exponent);
    // 8 and 12 of the largest units are infinite as float32
    const top = exponent >= 253 ? 5 : 7;
    for (let j = 0; j < 32; j++) {
      const v = x[from + j] * perUnit; // exact in float64
      const size = Math.abs(v);
      let q: number;
      if (size <= 3.5) q = size > 1.5 ? (size > 2.5 ? 3 : 2) : size > 0.5 ? 1 : 0;
      else q = size > 7 ? (size > 10 ? 7 : 6) : size > 5 ? 5 : 4;
      if (q > top) q = top;
      codes[j] = v < 0 && q > 0 ? q | 8 : q;
    }
    putNibbles(codes, 0, out, to + 1);
  },
  decode(blocks, from, out, to) {
    const unit = 2 ** (blocks[from] - 128);
    for (let j = 0; j < 16; j++) {
      const pair = blocks[from + 1 + j];
      out[to + j] = values[pair & 15] * unit;
      out[to + j + 16] = values[pair >>> 4] * unit;
    }
  },
};

/**
 * ⌊log2f(x)⌋ of a float32, as the reference computes it: the logarithm is rounded to float32 first, so that a number just below 2ᵏ
 * may count as 2ᵏ. x = 2ᵏ·(1 − n·2⁻²⁴) has log₂ x ≈ k − n·2⁻²⁴/ln 2, which becomes k where that is less than half the gap
 * between k and the float32 before it. (Equal it is never, and never nearer than 0.8 %.)
 */
function floorLog2(x: number): number {
  const below = exponentOf(x);
  const k = below + 1;
  const n = (1 - x / 2 ** k) * 16777216;
  if (k === 0) return below;
  // the gap above |k| where the logarithm is negative, below it where it is positive
  const binade = exponentOf(k < 0 ? -k : k - 0.5);
  return n / Math.LN2 < 2 ** (binade - 23 + 24 - 1) ? k : below;
}
