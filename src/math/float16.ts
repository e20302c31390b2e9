/**
 * float16 ↔ float32 by bit arithmetic: the same function as `encodeMinifloat(float16, …)` and `decodeMinifloat` (minifloat.ts
 * is the definition), some ten times as fast, for formats that hold a float16 in every few bytes. IEEE 754 binary16.
 */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The float16 code nearest to a float32, ties to even, infinity from 65,520 on. NaN gives a quiet NaN of the same sign. */
export function float16Code(x: number): number {
  float[0] = x;
  const word = bits[0];
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00); // from 2¹⁶ on
  // below 2⁻¹⁴ codes count steps of 2⁻²⁴; adding 2⁵² leaves the rounding to the FPU's ties-to-even
  if (magnitude < 0x38800000) return sign | (Math.abs(float[0]) * 16777216 + 4503599627370496 - 4503599627370496);
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

/** The number that a float16 code stands for. */
export function float16Number(code: number): number {
  const magnitude = code & 0x7fff;
  if (magnitude < 0x400) return (code & 0x8000 ? -magnitude : magnitude) / 16777216;
  bits[0] = ((code & 0x8000) << 16) | ((magnitude << 13) + (magnitude < 0x7c00 ? 0x38000000 : 0x70000000));
  return float[0];
}
