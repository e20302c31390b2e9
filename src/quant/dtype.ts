/**
 * The number formats a quantized tensor may be stored in, as a table: integers of 1 to 16 bits (and 32, for biases), and the
 * floating-point formats. Everything else about a format follows from its row.
 */
import * as minifloat from "#math/minifloat";
import { LowbitError } from "#base/errors";

export type IntegerDType =
  `${"int" | "uint"}${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 32}`;
export type FloatDType =
  | "float32"
  | "float16"
  | "bfloat16"
  | "float8e4m3fn"
  | "float8e5m2"
  | "float8e4m3fnuz"
  | "float8e5m2fnuz";
export type DTypeName = IntegerDType | FloatDType;

export interface DType {
  readonly name: DTypeName;
  /** Width of one code when packed without gaps. */
  readonly bits: number;
  readonly kind: "integer" | "float";
  readonly signed: boolean;
  /** Smallest and largest finite value (of integers: code). */
  readonly min: number;
  readonly max: number;
  /** For the small floats. */
  readonly format?: minifloat.Minifloat;
}

function integer(bits: number, signed: boolean): DType {
  const name = `${signed ? "int" : "uint"}${bits}` as IntegerDType;
  return {
    name,
    bits,
    kind: "integer",
    signed,
    min: signed ? -(2 ** (bits - 1)) : 0,
    max: 2 ** (signed ? bits - 1 : bits) - 1,
  };
}

function float(name: FloatDType, format: minifloat.Minifloat): DType {
  const max = minifloat.maxFinite(format);
  return { name, bits: format.bits, kind: "float", signed: true, min: -max, max, format };
}

const widths = [...Array.from({ length: 16 }, (_, i) => i + 1), 32];

export const dtypes: ReadonlyMap<DTypeName, DType> = new Map(
  [
    ...widths.flatMap((bits) => [integer(bits, true), integer(bits, false)]),
    {
      name: "float32",
      bits: 32,
      kind: "float",
      signed: true,
      min: -3.4028234663852886e38,
      max: 3.4028234663852886e38,
    } satisfies DType,
    float("float16", minifloat.float16),
    float("bfloat16", minifloat.bfloat16),
    float("float8e4m3fn", minifloat.float8e4m3fn),
    float("float8e5m2", minifloat.float8e5m2),
    float("float8e4m3fnuz", minifloat.float8e4m3fnuz),
    float("float8e5m2fnuz", minifloat.float8e5m2fnuz),
  ].map((row) => [row.name, row]),
);

/** The row of a name; `usage/scheme` for a name that is none. */
export function dtype(name: string): DType {
  const row = dtypes.get(name as DTypeName);
  if (row !== undefined) return row;
  throw new LowbitError("usage/scheme", `${name} is not a number format`, {
    hint: `one of: ${[...dtypes.keys()].join(", ")}`,
  });
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
