/** Conversion between element types, by the tables of ONNX's Cast. */
import { LowbitError } from "#base/errors";
import { exponentOf } from "#math/minifloat";
import { isInteger } from "#model/ops/known";
import { allocate, type ElementType, elementTypes, fromNumbers, type Tensor, toNumbers } from "#model/tensor";

export interface Conversion {
  /** What becomes of numbers beyond a float8's largest: that largest (true), or infinity or NaN. Default true. */
  readonly saturate?: boolean;
  /** Rounding of a power of two for float8e8m0: away from zero, toward zero, or to the nearest. Default "up". */
  readonly round?: string;
}

/**
 * The elements as another type. Integers keep their low bits; floating point truncates toward zero on the way to
 * integers and rounds to nearest even on the way to narrower floating point; strings are parsed and printed. Throws
 * model/type for complex numbers.
 */
export function convert(x: Tensor, to: ElementType, { saturate = true, round = "up" }: Conversion = {}): Tensor {
  const { data, dims, type } = x;
  if (type === to) return x;
  if (to === "string") return { type: to, dims, data: Array.from(printed(x)) };
  if (Array.isArray(data)) return convert(parsed(data as readonly string[], dims, to), to, { saturate, round });
  if (type.startsWith("complex") || to.startsWith("complex"))
    throw new LowbitError("model/type", `${type} does not convert to ${to}`);
  if (to === "bool" && isInteger(type)) return { type: to, dims, data: Uint8Array.from(data as Int8Array, nonZero) };
  if (to === "int64" || to === "uint64") {
    const out = allocate(to, data.length) as BigInt64Array;
    if (isInteger(type)) for (let i = 0; i < out.length; i++) out[i] = BigInt(data[i]);
    else out.set(fromNumbers("int64", dims, toNumbers(x)).data as BigInt64Array);
    return { type: to, dims, data: out };
  }
  if (isInteger(to) && (data instanceof BigInt64Array || data instanceof BigUint64Array)) {
    // the low 32 bits are all that a narrower integer can keep, and a double holds them exactly
    return fromNumbers(
      to,
      dims,
      Float64Array.from(data as BigInt64Array, (value) => Number(BigInt.asIntN(32, value))),
    );
  }
  const numbers = toNumbers(x);
  if (to === "float8e8m0")
    return { type: to, dims, data: Uint8Array.from(numbers, (n) => powerOfTwo(n, saturate, round)) };
  // float4e2m1 has no NaN: −0 stands for it, as in ml_dtypes
  if (to === "float4e2m1")
    return fromNumbers(
      to,
      dims,
      numbers.map((n) => (Number.isNaN(n) ? -0 : n)),
      true,
    );
  return fromNumbers(to, dims, numbers, saturate && to.startsWith("float8"));
}

const nonZero = (value: number | bigint): number => (value ? 1 : 0);

/** Code of a power of two near |x|: exponent + 127, 255 for NaN. Below the smallest, 2⁻¹²⁷, the smallest is nearest. */
function powerOfTwo(x: number, saturate: boolean, round: string): number {
  const magnitude = Math.abs(x);
  if (Number.isNaN(x)) return 255;
  if (magnitude === Infinity) return saturate ? 254 : 255;
  if (magnitude === 0) return saturate ? 0 : 255;
  const exponent = exponentOf(magnitude);
  const mantissa = magnitude / 2 ** exponent; // [1, 2)
  const up = round === "up" ? mantissa > 1 : round === "nearest" && mantissa >= 1.5;
  const code = Math.max(0, exponent + 127 + (up ? 1 : 0));
  return code > 254 ? (saturate ? 254 : 255) : code;
}

function* printed(x: Tensor): Generator<string> {
  const { data, type } = x;
  if (isInteger(type)) for (const value of data) yield String(value);
  else for (const value of toNumbers(x)) yield printNumber(value, type);
}

/** The shortest digits that read back as the same number of its type. */
function printNumber(value: number, type: ElementType): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "INF" : "-INF";
  if (elementTypes[type].bits > 32) return String(value);
  for (let digits = 1; ; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
}

function parsed(texts: readonly string[], dims: readonly number[], to: ElementType): Tensor {
  if (isInteger(to) && texts.every((text) => /^\s*[+-]?\d+\s*$/.test(text)))
    return { type: "int64", dims, data: BigInt64Array.from(texts, (text) => BigInt(text.trim().replace("+", ""))) };
  return { type: "float64", dims, data: Float64Array.from(texts, parseNumber) };
}

function parseNumber(text: string): number {
  const infinite = /^\s*([+-]?)inf(inity)?\s*$/i.exec(text);
  if (infinite !== null) return infinite[1] === "-" ? -Infinity : Infinity;
  const number = Number(text);
  if (!Number.isNaN(number) && text.trim() !== "") return number;
  if (/^\s*[+-]?nan\s*$/i.test(text)) return Number.NaN;
  throw new LowbitError("model/type", `"${text}" is not a number`);
}
