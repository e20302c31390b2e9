/**
 * Energy of single operations in picojoules, 45 nm at 0.9 V: M. Horowitz, "Computing's energy problem", ISSCC 2014, as in the course
 * tables (int8 add 0.03, mul 0.2; int32 add 0.1; fp16 0.4, 1.1; fp32 0.9, 3.7; 32 bits from DRAM 640, Han et al. 2015).
 *
 * Widths the table lacks follow its fits: an integer adder costs in proportion to its bits, a multiplier to the product of its
 * operands' bits (int8 0.2 = 64 · 0.003125; int32 3.1 = 1024 · 0.00303).
 */
const perAdderBit = 0.1 / 32;
const perMultiplierBit = 0.2 / 64;

/** An integer addition of this many bits. → 32 bits: 0.1 pJ */
export function integerAdd(bits: number): number {
  return perAdderBit * bits;
}

/** An integer multiplication of operands of these widths. → 8 × 8: 0.2 pJ, 4 × 8: 0.1 pJ */
export function integerMultiply(aBits: number, bBits: number): number {
  return perMultiplierBit * aBits * bBits;
}

/**
 * Floating point of 16, 32 or 64 bits. The table has no bfloat16 and no float64: the first costs what float16 does, the second is
 * put at twice the adder and four times the multiplier of float32.
 */
export function floatAdd(bits: number): number {
  return bits <= 16 ? 0.4 : bits <= 32 ? 0.9 : 1.8;
}

export function floatMultiply(bits: number): number {
  return bits <= 16 ? 1.1 : bits <= 32 ? 3.7 : 14.8;
}

/** Reading or writing 32 bits of DRAM. Sources say 200 to 1,300: a parameter, with this default. */
export const dramPicojoule = 640;

/** The values a model of energy should be tried with. */
export const dramSensitivity: readonly number[] = [200, 640, 1300];
