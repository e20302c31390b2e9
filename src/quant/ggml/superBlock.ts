/** What the super-blocks of 256 elements (Q2_K … Q6_K) share: 2-bit planes, and codes for the scale that was really stored. */
import { roundingShift } from "#quant/ggml/rounding";

const { fround } = Math;

/** Codes l = clamp(round((x + m)/d), 0, top) of one sub-block. Nothing for d = 0: codes stay as the search left them. */
export function recodeWithMin(
  x: Float32Array,
  from: number,
  count: number,
  d: number,
  m: number,
  top: number,
  codes: Uint8Array,
  at: number,
): void {
  if (d === 0) return;
  for (let i = 0; i < count; i++) {
    const l = (fround(fround(fround(x[from + i] + m) / d) + roundingShift) - roundingShift) | 0;
    codes[at + i] = l < 0 ? 0 : l > top ? top : l;
  }
}

/** Codes l + top, l = clamp(round(x/d), −top, top − 1), of 16 elements. Nothing for d = 0. */
export function recodeSigned(
  x: Float32Array,
  from: number,
  d: number,
  top: number,
  codes: Uint8Array,
  at: number,
): void {
  if (d === 0) return;
  for (let i = 0; i < 16; i++) {
    const l = (fround(fround(x[from + i] / d) + roundingShift) - roundingShift) | 0;
    codes[at + i] = (l < -top ? -top : l >= top ? top - 1 : l) + top;
  }
}

/** Writes the low two bits of 256 codes to 64 bytes: of each 128, element j in byte j mod 32, bits 2⌊j/32⌋. */
export function putPairs(codes: Uint8Array, out: Uint8Array, to: number): void {
  for (let half = 0; half < 2; half++) {
    for (let l = 0, i = 128 * half; l < 32; l++, i++) {
      out[to + 32 * half + l] =
        (codes[i] & 3) | ((codes[i + 32] & 3) << 2) | ((codes[i + 64] & 3) << 4) | ((codes[i + 96] & 3) << 6);
    }
  }
}
