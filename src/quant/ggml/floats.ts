/** F32, F16 and BF16: blocks of one number, for files that hold such tensors beside the others. */
import { getFloat16, putFloat16 } from "#quant/ggml/bytes";
import type { GgmlType } from "#quant/ggml/types";

const float = new Float32Array(1);
const bytes = new Uint8Array(float.buffer);
const word = new Uint32Array(float.buffer);

export const f32: GgmlType = {
  id: 0,
  elements: 1,
  bytes: 4,
  scaleBytes: 0,
  encode(x, from, out, to) {
    float[0] = x[from];
    for (let k = 0; k < 4; k++) out[to + k] = bytes[k];
  },
  decode(blocks, from, out, to) {
    for (let k = 0; k < 4; k++) bytes[k] = blocks[from + k];
    out[to] = float[0];
  },
};

export const f16: GgmlType = {
  id: 1,
  elements: 1,
  bytes: 2,
  scaleBytes: 0,
  encode(x, from, out, to) {
    putFloat16(out, to, x[from]);
  },
  decode(blocks, from, out, to) {
    out[to] = getFloat16(blocks, from);
  },
};

/** The upper half of a float32, rounded half to even. */
export const bf16: GgmlType = {
  id: 30,
  elements: 1,
  bytes: 2,
  scaleBytes: 0,
  encode(x, from, out, to) {
    float[0] = x[from];
    const code = (word[0] + 0x7fff + ((word[0] >>> 16) & 1)) >>> 16;
    out[to] = code;
    out[to + 1] = code >>> 8;
  },
  decode(blocks, from, out, to) {
    word[0] = (blocks[from] | (blocks[from + 1] << 8)) << 16;
    out[to] = float[0];
  },
};
