/**
 * What there is of number formats, and how each holds a given number: the data behind `lowbit formats`.
 */
import { createRng } from "#base/rng";
import { LowbitError } from "#base/errors";
import { exponentOf } from "#math/minifloat";
import type { Scales } from "#quant/decoding";
import { type DType, dtype, dtypes } from "#quant/dtype";
import { decodeNumber, encodeNumber, neighbours } from "#quant/encodeNumber";
import { quantizeMatrix, quantizers } from "#quant/quantizers/index";

export interface FormatsReport {
  readonly formats: readonly FormatFacts[];
  /** Formats in which neighbours share scales. */
  readonly blocks: readonly BlockFacts[];
  /** One for each number asked for. */
  readonly numbers: readonly NumberFacts[];
}

/** A row of the table of formats. */
export interface FormatFacts {
  readonly name: string;
  readonly kind: DType["kind"];
  readonly bits: number;
  readonly signBits: number;
  /** Of floating point; null for others. */
  readonly exponentBits: number | null;
  readonly mantissaBits: number | null;
  readonly bias: number | null;
  readonly min: number;
  readonly max: number;
  /** Least positive number with all its digits; null where there is no floating point. */
  readonly minNormal: number | null;
  /** Least positive number; null where there are no subnormal ones. */
  readonly minSubnormal: number | null;
  /** Distance of neighbours, where it is the same for all. */
  readonly step: number | null;
  readonly infinity: boolean;
  readonly nan: boolean;
  /** Every code, of a format of up to 8 bits that was asked for by name. */
  readonly values?: readonly CodeFacts[];
}

export interface CodeFacts {
  readonly code: number;
  /** Fields apart: `0|1000|011`, `00010.110`. */
  readonly bits: string;
  readonly value: number;
}

export interface BlockFacts {
  readonly name: string;
  /** What a value itself is stored as. */
  readonly element: string;
  /** From the smallest block to what all share. */
  readonly scales: readonly { readonly dtype: string; readonly sharedBy: number | "channel" | "tensor" }[];
  /** Codes, and the scales of blocks; not what a channel or the tensor shares. */
  readonly bitsPerWeight: number;
}

export interface NumberFacts {
  readonly number: number;
  /** number = ± fraction · 2^exponent, 1 ≤ fraction < 2; null for 0, NaN and infinities. */
  readonly normalized: { readonly fraction: number; readonly exponent: number } | null;
  readonly encodings: readonly Encoding[];
}

/** How a format holds a number. All but its name null where it cannot, such as NaN in an integer. */
export interface Encoding {
  readonly format: string;
  readonly code: number | null;
  readonly bits: string | null;
  /** What is held. */
  readonly value: number | null;
  /** value − number, and its magnitude by the number's. */
  readonly error: number | null;
  readonly relativeError: number | null;
  /** The format's greatest number ≤ the number, and its least ≥ it; null where there is none. */
  readonly below: number | null;
  readonly above: number | null;
  /** The number lies beyond the format's last, which stands for it. */
  readonly saturated: boolean;
}

export interface FormatsOptions {
  /** Numbers to encode. Default none. */
  readonly numbers?: readonly number[];
  /** Names of formats, also of fixed point. Default: all; to encode numbers, floats, tables, int4, int8 and q3.4. */
  readonly names?: readonly string[];
}

/** The table of number formats, and how they hold the numbers given. Throws usage/scheme for a name that is no format. */
export function formats({ numbers = [], names }: FormatsOptions = {}): FormatsReport {
  if (names !== undefined && names.length === 0)
    throw new LowbitError("usage/argument", "no format is named", { hint: "for example float8e4m3fn or q3.4" });
  const named = names?.map((name) => dtype(name));
  const rows = named ?? [...dtypes.values(), dtype("q3.4")];
  const shown = named ?? [...rows.filter(({ kind }) => kind === "float" || kind === "table"), ...usual];
  return {
    formats: rows.map((row) =>
      named === undefined || row.bits > 8 ? factsOf(row) : { ...factsOf(row), values: codesOf(row) },
    ),
    blocks: named === undefined ? blockSchemes().flatMap(blockFacts) : [],
    numbers: numbers.map((number) => ({
      number,
      normalized: normalized(number),
      encodings: shown.map((row) => encoding(row, number)),
    })),
  };
}

/** Formats with equal steps that stand for all of their kind. */
const usual = ["int4", "int8", "q3.4"].map(dtype);

function factsOf(row: DType): FormatFacts {
  const float = row.kind === "float" ? row.format : undefined;
  const firstNormal = float === undefined || !row.signed ? 0 : 2 ** float.mantissaBits;
  return {
    name: row.name,
    kind: row.kind,
    bits: row.bits,
    signBits: row.signed ? 1 : 0,
    exponentBits: float?.exponentBits ?? null,
    mantissaBits: float?.mantissaBits ?? null,
    bias: float?.bias ?? null,
    min: row.min,
    max: row.max,
    minNormal: float === undefined ? null : decodeNumber(row, firstNormal),
    minSubnormal: firstNormal > 1 ? decodeNumber(row, 1) : null,
    step: row.kind === "integer" ? 1 : row.kind === "fixed" ? 2 ** -row.fractionBits : null,
    infinity: float?.special === "ieee",
    nan: float !== undefined && float.special !== "finite",
  };
}

function codesOf(row: DType): CodeFacts[] {
  return Array.from({ length: 2 ** row.bits }, (_, code) => ({
    code,
    bits: fields(row, code),
    value: decodeNumber(row, code),
  }));
}

/** A code's bits: sign|exponent|mantissa of floats, a binary point in fixed point. */
function fields(row: DType, code: number): string {
  const bits = code.toString(2).padStart(row.bits, "0");
  if (row.kind === "fixed" && row.fractionBits > 0)
    return `${bits.slice(0, row.bits - row.fractionBits)}.${bits.slice(row.bits - row.fractionBits)}`;
  if (row.kind !== "float") return bits;
  const { exponentBits } = row.format;
  const sign = row.signed ? 1 : 0;
  const parts = [bits.slice(0, sign), bits.slice(sign, sign + exponentBits), bits.slice(sign + exponentBits)];
  return parts.filter((part) => part !== "").join("|");
}

function normalized(number: number): NumberFacts["normalized"] {
  if (!Number.isFinite(number) || number === 0) return null;
  const exponent = exponentOf(number);
  return { fraction: Math.abs(number) / 2 ** exponent, exponent };
}

function encoding(row: DType, number: number): Encoding {
  const code = encodeNumber(row, number);
  const format = row.name;
  if (code === undefined) {
    const nothing = { code: null, bits: null, value: null, error: null, relativeError: null };
    return { format, ...nothing, below: null, above: null, saturated: false };
  }
  const value = decodeNumber(row, code);
  const comparable = Number.isFinite(number) && Number.isFinite(value);
  return {
    format,
    code,
    bits: fields(row, code),
    value,
    error: comparable ? value - number : null,
    relativeError: comparable && number !== 0 ? Math.abs((value - number) / number) : null,
    ...neighbours(row, number),
    saturated: Number.isFinite(value) && (number > row.max || number < row.min),
  };
}

function blockSchemes(): string[] {
  const { mx, nvfp4, vsq, microexponent, bitsandbytes } = quantizers;
  return [mx, nvfp4, vsq, microexponent, bitsandbytes].flatMap(({ examples }) =>
    examples.filter((example) => !example.endsWith("/channel")),
  );
}

/** Read off a tensor that was quantized so. */
function blockFacts(name: string): BlockFacts[] {
  const columns = 1024;
  const zeros = { values: new Float32Array(columns), rows: 1, columns };
  const { decoding } = quantizeMatrix(zeros, name, { rng: createRng(0) });
  if (decoding.kind !== "affine" && decoding.kind !== "lookup")
    throw new Error(`${name} has no elements of a number format`);
  const scales: { dtype: string; sharedBy: number | "channel" | "tensor" }[] = [];
  let level: Scales | null | undefined = decoding.kind === "affine" ? decoding.storedScale : decoding.scale;
  for (; level !== null && level !== undefined; level = level.outer) {
    const { granularity } = level;
    const sharedBy =
      granularity.per === "group" ? granularity.size : granularity.per === "channel" ? "channel" : "tensor";
    scales.push({ dtype: level.dtype ?? "float32", sharedBy });
  }
  const element = decoding.dtype ?? "float32";
  const shared = scales.map((scale) =>
    typeof scale.sharedBy === "number" ? dtype(scale.dtype).bits / scale.sharedBy : 0,
  );
  return [{ name, element, scales, bitsPerWeight: shared.reduce((sum, bits) => sum + bits, dtype(element).bits) }];
}
