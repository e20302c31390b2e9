/**
 * Floating-point formats as a table: sign, exponent and mantissa bits, bias, and what the top codes mean.
 *
 * Value of a code (IEEE 754 §3.4 with other widths): exponent field 0 is subnormal, (M/2ᵐ)·2^(1−bias); else
 * (1 + M/2ᵐ)·2^(E−bias). What the all-ones exponent means differs, and is the `special` column:
 *
 * | special  | all-ones exponent                | formats                                               |
 * | "ieee"   | mantissa 0 = ∞, else NaN         | float32, float16, bfloat16, float8e5m2                |
 * | "fn"     | only mantissa all ones = NaN     | float8e4m3fn, float8e8m0                              |
 * | "fnuz"   | ordinary; code 0x80 = NaN, no −0 | float8e4m3fnuz, float8e5m2fnuz                        |
 * | "finite" | ordinary, no NaN                 | float6e2m3, float6e3m2, float4e2m1, float4e1m2, float4e3m0, float1e1m0 |
 *
 * Formats without a sign are scales: every code is a power of two, 2^(E−bias), and none is 0.
 *
 * Sources: IEEE 754-2019; OCP 8-bit Floating Point Specification (OFP8) 1.0; OCP Microscaling Formats (MX) 1.0; ONNX float8 page.
 * float4e1m2 and float4e3m0 are the other ways to cut four bits (MIT 6.5940, lecture 5); float1e1m0 is the shared microexponent
 * of Rouhani et al. 2023, arXiv 2302.08007.
 */
export interface Minifloat {
  readonly bits: number;
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  readonly special: "ieee" | "fn" | "fnuz" | "finite";
}

export const float32: Minifloat = { bits: 32, exponentBits: 8, mantissaBits: 23, bias: 127, special: "ieee" };
export const float16: Minifloat = { bits: 16, exponentBits: 5, mantissaBits: 10, bias: 15, special: "ieee" };
export const bfloat16: Minifloat = { bits: 16, exponentBits: 8, mantissaBits: 7, bias: 127, special: "ieee" };
export const float8e4m3fn: Minifloat = { bits: 8, exponentBits: 4, mantissaBits: 3, bias: 7, special: "fn" };
export const float8e5m2: Minifloat = { bits: 8, exponentBits: 5, mantissaBits: 2, bias: 15, special: "ieee" };
export const float8e4m3fnuz: Minifloat = { bits: 8, exponentBits: 4, mantissaBits: 3, bias: 8, special: "fnuz" };
export const float8e5m2fnuz: Minifloat = { bits: 8, exponentBits: 5, mantissaBits: 2, bias: 16, special: "fnuz" };
export const float8e8m0: Minifloat = { bits: 8, exponentBits: 8, mantissaBits: 0, bias: 127, special: "fn" };
export const float6e2m3: Minifloat = { bits: 6, exponentBits: 2, mantissaBits: 3, bias: 1, special: "finite" };
export const float6e3m2: Minifloat = { bits: 6, exponentBits: 3, mantissaBits: 2, bias: 3, special: "finite" };
export const float4e2m1: Minifloat = { bits: 4, exponentBits: 2, mantissaBits: 1, bias: 1, special: "finite" };
export const float4e1m2: Minifloat = { bits: 4, exponentBits: 1, mantissaBits: 2, bias: 0, special: "finite" };
export const float4e3m0: Minifloat = { bits: 4, exponentBits: 3, mantissaBits: 0, bias: 3, special: "finite" };
export const float1e1m0: Minifloat = { bits: 1, exponentBits: 1, mantissaBits: 0, bias: 1, special: "finite" };

/** Whether a format has a sign bit; those without are scales, all powers of two. */
export function hasSign({ bits, exponentBits, mantissaBits }: Minifloat): boolean {
  return bits > exponentBits + mantissaBits;
}

/** The number that a code stands for. */
export function decodeMinifloat(format: Minifloat, code: number): number {
  const { bits, exponentBits, mantissaBits, bias, special } = format;
  const signed = hasSign(format);
  const mantissa = code & ((1 << mantissaBits) - 1);
  const top = (1 << exponentBits) - 1;
  const exponent = (code >>> mantissaBits) & top;
  const negative = signed && ((code >>> (bits - 1)) & 1) === 1;
  if (special === "fnuz" && code === 2 ** (bits - 1)) return Number.NaN;
  if (exponent === top) {
    if (special === "ieee")
      return mantissa !== 0 ? Number.NaN : negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    if (special === "fn" && mantissa === (1 << mantissaBits) - 1) return Number.NaN;
  }
  const magnitude =
    signed && exponent === 0
      ? mantissa * 2 ** (1 - bias - mantissaBits)
      : (mantissa + (1 << mantissaBits)) * 2 ** (exponent - bias - mantissaBits);
  return negative ? -magnitude : magnitude;
}

/** The largest finite number of a format. */
export function maxFinite(format: Minifloat): number {
  return decodeMinifloat(format, maxFiniteCode(format));
}

/** The code of the largest finite number. */
function maxFiniteCode(format: Minifloat): number {
  const allOnes = largestField(format);
  if (format.special === "ieee") return allOnes - (1 << format.mantissaBits);
  return format.special === "fn" ? allOnes - 1 : allOnes;
}

/**
 * The code nearest to `x`, ties to even; between two powers of two in a format without mantissa, where both are odd, to the
 * greater (IEEE 754-2019 §4.3.1). Beyond the largest finite number: with `saturate` the largest finite code; without it infinity
 * where the format has one, else NaN (formats with neither always saturate). NaN gives the format's NaN; in a format without NaN
 * it gives 0. Formats without a sign have no code for 0 and negative numbers: NaN, or where there is none the least.
 */
export function encodeMinifloat(format: Minifloat, x: number, saturate = true): number {
  const { bits, mantissaBits, bias, special } = format;
  if (Number.isNaN(x)) return nanCode(format);
  const signed = hasSign(format);
  const negative = x < 0 || Object.is(x, -0);
  if (!signed && x <= 0) return nanCode(format);
  const sign = negative ? 2 ** (bits - 1) : 0;
  const magnitude = Math.abs(x);
  const largest = maxFiniteCode(format);
  let code: number;
  if (magnitude === Number.POSITIVE_INFINITY) {
    code = largest + 1;
  } else {
    const exponent = Math.max(exponentOf(magnitude), signed ? 1 - bias : -bias);
    // the division by a power of two is exact inside the double range, so one rounding decides
    const units = halfEven(magnitude / 2 ** (exponent - mantissaBits));
    // units has the hidden bit for normals: adding it to the exponent field carries correctly into the next binade
    code = Math.max((exponent + bias - 1) * (1 << mantissaBits) + units, 0);
  }
  if (code > largest) {
    if (saturate || special === "finite") code = largest;
    else if (special === "ieee") return sign + largest + 1;
    else return special === "fnuz" ? nanCode(format) : sign + nanCode(format);
  }
  if (special === "fnuz" && code === 0) return 0;
  return sign + code;
}

function nanCode(format: Minifloat): number {
  const { bits, mantissaBits, special } = format;
  if (special === "finite") return 0;
  if (special === "fnuz") return 2 ** (bits - 1);
  const allOnes = largestField(format);
  return special === "fn" ? allOnes : allOnes - (1 << (mantissaBits - 1)) + 1; // quiet bit set, payload 0
}

/** Exponent and mantissa all ones. */
function largestField({ exponentBits, mantissaBits }: Minifloat): number {
  return 2 ** (exponentBits + mantissaBits) - 1;
}

/** ⌊log₂ x⌋ for finite x > 0, exactly; 0 and subnormal doubles count as −1074. */
export function exponentOf(x: number): number {
  view.setFloat64(0, x);
  const field = (view.getUint32(0) >>> 20) & 0x7ff;
  return field === 0 ? -1074 : field - 1023;
}

function halfEven(x: number): number {
  return x + 4503599627370496 - 4503599627370496;
}

const view = new DataView(new ArrayBuffer(8));
