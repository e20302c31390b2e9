/**
 * Blocks of ggml's Q8_0: of 32 numbers d = max|x|/127 as float16, then 32 bytes of codes round(x/d), halves away from zero. In
 * float32, rounding after every operation.
 */
import { float16Code } from "#math/float16";

const { fround } = Math;

/** Writes 34 bytes for every 32 numbers of x. */
export function q8_0(x: Float32Array, out: Uint8Array): void {
  for (let from = 0, to = 0; from < x.length; from += 32, to += 34) q8_0Block(x, from, out, to);
}

/** Writes the block of x[from], … to out[to], …. */
export function q8_0Block(x: Float32Array, from: number, out: Uint8Array, to: number): void {
  let largest = 0;
  for (let i = from; i < from + 32; i++) if (Math.abs(x[i]) > largest) largest = Math.abs(x[i]);
  const d = fround(largest / 127);
  const inverse = d === 0 ? 0 : fround(1 / d);
  const code = float16Code(d);
  out[to] = code;
  out[to + 1] = code >>> 8;
  for (let j = 0; j < 32; j++) {
    const v = fround(x[from + j] * inverse);
    out[to + 2 + j] = (v < 0 ? v - 0.5 : v + 0.5) | 0; // exact: float64 holds a float32 and a half
  }
}
