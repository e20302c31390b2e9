/**
 * Q6_K: 256 elements, 6 bits each, in sixteen sub-blocks with a signed 8-bit scale. x̂ = d·s·(q − 32).
 * 128 bytes of low halves · 64 bytes of upper two bits · 16 bytes of scales · d float16. Of each 128 elements, 0–31 and 64–95 share
 * 32 bytes of halves, as 32–63 and 96–127 do; upper bits of element j are in byte j mod 32, bits 2⌊j/32⌋.
 */
import { negligible } from "#kernels/signedScale/reference";
import { getFloat16, putFloat16 } from "#quant/ggml/bytes";
import { nearestInt } from "#quant/ggml/rounding";
import { fitSignedScale } from "#quant/ggml/signedScale";
import { extreme } from "#quant/ggml/sums";
import { recodeSigned } from "#quant/ggml/superBlock";
import type { GgmlType } from "#quant/ggml/types";

const { fround } = Math;
const codes = new Uint8Array(256);
const scales = new Float32Array(16);

export const q6_k: GgmlType = {
  id: 14,
  elements: 256,
  bytes: 210,
  scaleBytes: 18,
  encode(x, from, out, to, importance) {
    fitSignedScale(x, from, 16, 32, importance?.values, from, codes, scales);
    const largest = extreme(scales, 0, 16);
    if (Math.abs(largest) < negligible) {
      out.fill(0, to, to + 210);
      return;
    }
    const inverse = fround(-128 / largest);
    putFloat16(out, to + 208, fround(1 / inverse));
    const d = getFloat16(out, to + 208);
    for (let j = 0; j < 16; j++) {
      const scale = Math.min(127, nearestInt(inverse * scales[j]));
      out[to + 192 + j] = scale;
      recodeSigned(x, from + 16 * j, fround(d * scale), 32, codes, 16 * j);
    }
    for (let half = 0; half < 2; half++) {
      const low = to + 64 * half;
      const high = to + 128 + 32 * half;
      for (let l = 0, i = 128 * half; l < 32; l++, i++) {
        out[low + l] = (codes[i] & 15) | (codes[i + 64] << 4);
        out[low + l + 32] = (codes[i + 32] & 15) | (codes[i + 96] << 4);
        out[high + l] =
          (codes[i] >>> 4) | ((codes[i + 32] >>> 4) << 2) | ((codes[i + 64] >>> 4) << 4) | ((codes[i + 96] >>> 4) << 6);
      }
    }
  },
  decode(blocks, from, out, to) {
    const d = getFloat16(blocks, from + 208);
    for (let j = 0; j < 16; j++) {
      const scale = fround(d * ((blocks[from + 192 + j] << 24) >> 24));
      const half = j >>> 3;
      const quarter = (j >>> 1) & 3;
      const low = from + 64 * half + 32 * (quarter & 1) + 16 * (j & 1);
      const high = from + 128 + 32 * half + 16 * (j & 1);
      for (let l = 0; l < 16; l++) {
        const q =
          ((blocks[low + l] >>> (4 * (quarter >>> 1))) & 15) | (((blocks[high + l] >>> (2 * quarter)) & 3) << 4);
        out[to + 16 * j + l] = scale * (q - 32);
      }
    }
  },
};
