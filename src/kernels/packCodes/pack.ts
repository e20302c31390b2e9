import type { Value } from "#kernels/assembler/value";
import { i16x8, i32x4, i8x16, v128 } from "#kernels/assembler/vector";

/**
 * Four vectors of four codes, each in 32 bits, clamped to 0 … 2ᵇ − 1 → the packed codes, lowest bits first, in the vector's first 2·bits
 * bytes. Neighbours are brought together by shifting the vector over itself and keeping the lowest byte of each pair (or four).
 */
export function packSixteen(
  bits: 2 | 4 | 8,
  codes: readonly Value<"v128">[],
  set: (v: Value<"v128">) => Value<"v128">,
) {
  const pairs = [i16x8.narrowI32x4S(codes[0], codes[1]), i16x8.narrowI32x4S(codes[2], codes[3])];
  const bytes = i8x16.narrowI16x8U(pairs[0], pairs[1]);
  return packBytes(bits, set(bits === 8 ? bytes : i8x16.minU(bytes, i8x16.const(2 ** bits - 1))), set);
}

/** The same of sixteen codes in a byte each. `set` keeps a value that is used twice. */
export function packBytes(
  bits: 2 | 4 | 8,
  bytes: Value<"v128">,
  set: (v: Value<"v128">) => Value<"v128">,
): Value<"v128"> {
  if (bits === 8) return bytes;
  if (bits === 4) {
    const nibbles = set(v128.and(v128.or(bytes, i16x8.shrU(bytes, 4)), i16x8.const(0xff)));
    return i8x16.narrowI16x8U(nibbles, nibbles);
  }
  const pairs = set(v128.or(bytes, i32x4.shrU(bytes, 6)));
  const fours = set(v128.and(v128.or(pairs, i32x4.shrU(pairs, 12)), i32x4.const(0xff)));
  const narrow = set(i16x8.narrowI32x4U(fours, fours));
  return i8x16.narrowI16x8U(narrow, narrow);
}
