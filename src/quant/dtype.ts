/**
 * The number formats a quantized tensor may be stored in, as a table: integers of 1 to 16 bits (and 32, for biases), fixed
 * point, floating point, and formats that are a list of values. Everything else about a format follows from its row.
 */
import { LowbitError } from "#base/errors";
import * as minifloat from "#math/minifloat";

export type IntegerDType =
  `${"int" | "uint"}${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 32}`;
/**
 * Fixed point Qm.n: m bits before the binary point and n after it, as `q4.3`. The sign bit of `q` comes on top (Texas
 * Instruments' notation; ARM's counts it among the m), so q4.3 has 1 + 4 + 3 = 8 bits; `uq` has no sign.
 */
export type FixedDType = `${"q" | "uq"}${number}.${number}`;
export type FloatDType = keyof typeof floats;
export type TableDType = keyof typeof tables;
export type DTypeName = IntegerDType | FixedDType | FloatDType | TableDType;

interface Row {
  readonly name: DTypeName;
  /** Width of one code when packed without gaps. */
  readonly bits: number;
  readonly signed: boolean;
  /** Smallest and largest finite value (of integers: code). */
  readonly min: number;
  readonly max: number;
}

/** value = code */
export interface IntegerRow extends Row {
  readonly kind: "integer";
}

/** value = code · 2^−fractionBits, the code an integer of `bits` bits. */
export interface FixedRow extends Row {
  readonly name: FixedDType;
  readonly kind: "fixed";
  readonly fractionBits: number;
}

export interface FloatRow extends Row {
  readonly name: FloatDType;
  readonly kind: "float";
  readonly format: minifloat.Minifloat;
}

/** value = values[code] */
export interface TableRow extends Row {
  readonly kind: "table";
  readonly values: readonly number[];
}

export type DType = IntegerRow | FixedRow | FloatRow | TableRow;

const floats = {
  float32: minifloat.float32,
  float16: minifloat.float16,
  bfloat16: minifloat.bfloat16,
  float8e4m3fn: minifloat.float8e4m3fn,
  float8e5m2: minifloat.float8e5m2,
  float8e4m3fnuz: minifloat.float8e4m3fnuz,
  float8e5m2fnuz: minifloat.float8e5m2fnuz,
  float8e8m0: minifloat.float8e8m0,
  float6e2m3: minifloat.float6e2m3,
  float6e3m2: minifloat.float6e3m2,
  float4e2m1: minifloat.float4e2m1,
  float4e1m2: minifloat.float4e1m2,
  float4e3m0: minifloat.float4e3m0,
  float1e1m0: minifloat.float1e1m0,
} as const;

const tables = {
  /**
   * NormalFloat (Dettmers et al. 2023, arXiv 2305.14314, appendix E): quantiles of the normal distribution, scaled to [−1, 1],
   * 8 of its positive and 8 of its negative half, with one 0 for both.
   */
  nf4: [
    -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
  ],
  /** The 4-bit float of bitsandbytes, which is not float4e2m1: a sign and eight magnitudes in no order. */
  fp4: [0, 0.0625, 8, 12, 4, 6, 2, 3, -0, -0.0625, -8, -12, -4, -6, -2, -3].map((twelfths) => twelfths / 12),
} as const;

const widths = [...Array.from({ length: 16 }, (_, i) => i + 1), 32];

/** All formats but fixed point, of which there is one for every way to set the point (see `dtype`). */
export const dtypes: ReadonlyMap<DTypeName, DType> = new Map(
  [
    ...widths.flatMap((bits) => [integer(bits, true), integer(bits, false)]),
    ...Object.entries(floats).map(([name, format]) => float(name as FloatDType, format)),
    ...Object.entries(tables).map(([name, values]) => table(name as TableDType, values)),
  ].map((row) => [row.name, row]),
);

/** The row of a name, also of fixed point; `usage/scheme` for a name that is none. */
export function dtype(name: string): DType {
  const row = dtypes.get(name as DTypeName) ?? fixed(name);
  if (row !== undefined) return row;
  const others = [...dtypes.values()].filter((each) => each.kind !== "integer").map((each) => each.name);
  throw new LowbitError("usage/scheme", `${name} is not a number format`, {
    hint: `one of: int1 to int16, uint1 to uint16, q3.4 and other fixed point up to 16 bits, ${others.join(", ")}`,
  });
}

function integer(bits: number, signed: boolean): IntegerRow {
  const name = `${signed ? "int" : "uint"}${bits}` as IntegerDType;
  return { name, bits, kind: "integer", signed, ...codesOf(bits, signed) };
}

function fixed(name: string): FixedRow | undefined {
  const [, unsigned, whole, fraction] = /^(u?)q(\d{1,2})\.(\d{1,2})$/.exec(name) ?? [];
  if (fraction === undefined) return undefined;
  const signed = unsigned === "";
  const fractionBits = Number(fraction);
  const bits = (signed ? 1 : 0) + Number(whole) + fractionBits;
  if (bits < 1 || bits > 16) return undefined;
  const { min, max } = codesOf(bits, signed);
  const step = 2 ** -fractionBits;
  const normalized = `${unsigned}q${Number(whole)}.${fractionBits}` as FixedDType;
  return { name: normalized, bits, kind: "fixed", signed, min: min * step, max: max * step, fractionBits };
}

function float(name: FloatDType, format: minifloat.Minifloat): FloatRow {
  const max = minifloat.maxFinite(format);
  const signed = minifloat.hasSign(format);
  return {
    name,
    bits: format.bits,
    kind: "float",
    signed,
    min: signed ? -max : minifloat.decodeMinifloat(format, 0),
    max,
    format,
  };
}

function table(name: TableDType, values: readonly number[]): TableRow {
  return { name, bits: 4, kind: "table", signed: true, min: Math.min(...values), max: Math.max(...values), values };
}

/** Two's complement, or unsigned. */
function codesOf(bits: number, signed: boolean): { readonly min: number; readonly max: number } {
  return { min: signed ? -(2 ** (bits - 1)) : 0, max: 2 ** (signed ? bits - 1 : bits) - 1 };
}

/**
 * Codes a quantizer may emit. Symmetric signed integers leave out the lowest code (int8: −127 … 127), so that negation is exact
 * and no product of two codes saturates; `reduced` gives one bit less for hardware whose pair sums saturate (x64 before VNNI).
 */
export function codeRange(
  row: DType,
  symmetric: boolean,
  reduced = false,
): { readonly min: number; readonly max: number } {
  if (row.kind !== "integer") return { min: row.min, max: row.max };
  const half = reduced ? 2 : 1;
  const max = Math.floor(row.max / half);
  if (!row.signed) return { min: 0, max };
  return symmetric && row.bits > 1 ? { min: -max, max } : { min: Math.ceil(row.min / half), max };
}
