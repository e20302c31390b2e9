/**
 * Blocks of ggml's Q4_0: of 32 numbers d = extreme/−8 as float16, then 16 bytes of codes trunc(x/d + 8.5), at most 15, number j in the
 * low half of byte j, j + 16 in the high half. In float32, rounding after every operation.
 */
import { float16Code } from "#math/float16";

const { fround } = Math;

/** Writes 18 bytes for every 32 numbers of x. */
export function q4_0(x: Float32Array, out: Uint8Array): void {
  for (let from = 0, to = 0; from < x.length; from += 32, to += 18) q4_0Block(x, from, out, to);
}

/** Writes the block of x[from], … to out[to], …. */
export function q4_0Block(x: Float32Array, from: number, out: Uint8Array, to: number): void {
  let extreme = 0;
  for (let i = from; i < from + 32; i++) if (Math.abs(x[i]) > Math.abs(extreme)) extreme = x[i];
  const d = fround(extreme / -8);
  const inverse = d === 0 ? 0 : fround(1 / d);
  const code = float16Code(d);
  out[to] = code;
  out[to + 1] = code >>> 8;
  for (let j = 0; j < 16; j++) {
    const low = Math.min(15, fround(fround(x[from + j] * inverse) + 8.5) | 0);
    const high = Math.min(15, fround(fround(x[from + j + 16] * inverse) + 8.5) | 0);
    out[to + 2 + j] = low | (high << 4);
  }
}
