/** The float16 numbers and nibbles inside of blocks. */
import { float16Code, float16Number } from "#math/float16";

export function putFloat16(out: Uint8Array, to: number, x: number): void {
  const code = float16Code(x);
  out[to] = code;
  out[to + 1] = code >>> 8;
}

export function getFloat16(blocks: Uint8Array, from: number): number {
  return float16Number(blocks[from] | (blocks[from + 1] << 8));
}

/** Writes 32 codes as 16 bytes: code j in the low half of byte j, code j + 16 in the high half. */
export function putNibbles(codes: Uint8Array, at: number, out: Uint8Array, to: number): void {
  for (let j = 0; j < 16; j++) out[to + j] = codes[at + j] | (codes[at + j + 16] << 4);
}
