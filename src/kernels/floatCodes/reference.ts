/** Arrays of float32 as codes of another floating-point format, and back; number by number as math/minifloat defines it. */
import { decodeMinifloat, encodeMinifloat, type Minifloat } from "#math/minifloat";

/** Nearest codes, ties to even. `saturate`: beyond the largest finite number its code, else infinity or NaN where the format has one. */
export function encodeFloats(
  x: Float32Array,
  format: Minifloat,
  saturate: boolean,
  codes: Uint8Array | Uint16Array,
): void {
  for (let i = 0; i < x.length; i++) codes[i] = encodeMinifloat(format, x[i], saturate);
}

/** The numbers that codes stand for. */
export function decodeFloats(codes: Uint8Array | Uint16Array, format: Minifloat, x: Float32Array): void {
  for (let i = 0; i < codes.length; i++) x[i] = decodeMinifloat(format, codes[i]);
}
