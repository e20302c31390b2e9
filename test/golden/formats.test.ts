/** Number formats and block formats against what others make of them: see the provenance in each file of formats/. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { decodeMinifloat, encodeMinifloat, float8e4m3fn, float8e8m0 } from "#math/minifloat";
import { codeValues } from "#quant/codeValues";
import type { Lookup, Scales } from "#quant/decoding";
import { dequantize } from "#quant/dequantize";
import { type DType, dtype, type FloatRow } from "#quant/dtype";
import { decodeNumber, encodeNumber } from "#quant/encodeNumber";
import type { QTensor } from "#quant/qtensor";
import { quantizeMatrix } from "#quant/quantizers/index";

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(`./formats/${file}`, import.meta.url), "utf8"));
}

function digest(array: Float32Array | Uint16Array): string {
  return createHash("sha256").update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength)).digest("hex");
}

const float = (name: string): FloatRow => dtype(name) as FloatRow;

describe("ml_dtypes", () => {
  interface Element {
    readonly name: string;
    readonly bits: number;
    readonly values?: readonly (number | string)[];
    readonly valuesDigest: string;
    readonly inputs: number;
    readonly inputsDigest: string;
    readonly codesDigest: string;
  }
  const { formats } = read("ml_dtypes.json") as { readonly formats: readonly Element[] };

  test.each(formats)("$name: every code means the same number", ({ name, bits, values, valuesDigest }) => {
    const row = float(name);
    expect(row.bits).toBe(bits);
    const ours = codeValues(row);
    if (values !== undefined) expect([...ours]).toEqual(values.map(Number));
    expect(digest(oneNaN(ours))).toBe(valuesDigest);
  });

  test.each(formats)("$name: all $inputs numbers where a rounding is decided get the same code", (golden) => {
    const { format } = float(golden.name);
    const x = decisive(float(golden.name));
    expect(x.length).toBe(golden.inputs);
    expect(digest(x)).toBe(golden.inputsDigest);
    const codes = Uint16Array.from(x, (value) => encodeMinifloat(format, value, false));
    expect(digest(codes)).toBe(golden.codesDigest);
  });

  /** For each pair of neighbours their middle and the float32 on either side of it, then the extremes: as the script makes them. */
  function decisive(row: FloatRow): Float32Array {
    const finite = [...new Set([...codeValues(row)].filter(Number.isFinite).map(Math.abs))].sort((a, b) => a - b);
    const around = (x: number): number[] => [next(x, -1), Math.fround(x), next(x, 1)];
    const [before, top] = finite.slice(-2);
    const past = top + (top - before) / 2;
    const x = [
      ...finite.slice(1).flatMap((value, i) => around((finite[i] + value) / 2)),
      2 ** -149,
      top,
      past,
      3.4028234663852886e38,
      Number.POSITIVE_INFINITY,
      next(past, -1),
      next(past, 1),
    ];
    return Float32Array.from(row.signed ? [...x, ...x.map((value) => -value)] : x.filter((value) => value >= 2 ** -126));
  }

  /** The float32 after (step 1) or before (−1) a positive one. */
  function next(x: number, step: number): number {
    const value = Float32Array.of(x);
    new Int32Array(value.buffer)[0] += step;
    return value[0];
  }

  function oneNaN(values: Float32Array): Float32Array {
    const out = values.slice();
    const bits = new Uint32Array(out.buffer);
    for (let i = 0; i < out.length; i++) if (Number.isNaN(out[i])) bits[i] = 0x7fc00000;
    return out;
  }
});

interface Vectors {
  readonly table: readonly {
    readonly name: string;
    readonly sign: number;
    readonly exponent: number;
    readonly mantissa: number;
    readonly bias: number;
    readonly max: number;
    readonly minNormal: number;
    readonly minSubnormal: number | null;
    readonly infinity: boolean;
    readonly nan: boolean;
  }[];
  readonly nonNegative: readonly { readonly name: string; readonly values: number[] }[];
  readonly sums: readonly { readonly name: string; readonly finite: number; readonly sum: number }[];
  readonly codes: readonly { readonly name: string; readonly cases: readonly [number, number | string][] }[];
  readonly casts: readonly {
    readonly name: string;
    readonly saturate: boolean;
    readonly cases: readonly [number, number | string][];
  }[];
  readonly encodings: readonly { readonly name: string; readonly cases: readonly [number, number][] }[];
  readonly integers: readonly { readonly name: string; readonly min: number; readonly max: number }[];
  readonly blockInput: readonly number[];
  readonly blocks: readonly {
    readonly scheme: string;
    readonly scale: number;
    readonly first?: number[];
    readonly codes?: number[];
    readonly mse: number;
  }[];
  readonly nvfp4: { readonly count: number; readonly scheme: string; readonly scale: number; readonly first: number[] };
  readonly nf4: { readonly amax: number; readonly codes: number[]; readonly mse: number };
  readonly fp4: number[];
}

describe("lectures and specifications", () => {
  const vectors = read("vectors.json") as Vectors;

  test.each(vectors.table)("$name has its bits, bias, extremes and specials", (golden) => {
    const row = float(golden.name);
    const { exponentBits, mantissaBits, bias } = row.format;
    expect([row.signed ? 1 : 0, exponentBits, mantissaBits, bias]).toEqual([
      golden.sign,
      golden.exponent,
      golden.mantissa,
      golden.bias,
    ]);
    expect(row.bits).toBe(golden.sign + golden.exponent + golden.mantissa);
    expect(row.max).toBe(golden.max);
    expect(decodeNumber(row, row.signed ? 2 ** mantissaBits : 0)).toBe(golden.minNormal);
    if (golden.minSubnormal !== null) expect(decodeNumber(row, 1)).toBe(golden.minSubnormal);
    expect(Number.isNaN(decodeNumber(row, encodeNumber(row, Number.NaN) ?? 0))).toBe(golden.nan);
    const endless = decodeNumber(row, encodeNumber(row, Number.POSITIVE_INFINITY) ?? 0);
    expect(endless === Number.POSITIVE_INFINITY).toBe(golden.infinity);
  });

  test.each(vectors.nonNegative)("$name has these numbers", ({ name, values }) => {
    expect([...codeValues(float(name))].slice(0, values.length)).toEqual(values);
  });

  test.each(vectors.sums)("$name has $finite finite codes", ({ name, finite, sum }) => {
    const values = [...codeValues(float(name))].filter(Number.isFinite);
    expect(values.length).toBe(finite);
    expect(values.reduce((total, value) => total + Math.abs(value), 0)).toBe(sum);
  });

  test.each(vectors.codes)("$name: codes mean these numbers", ({ name, cases }) => {
    for (const [code, value] of cases) expect(decodeNumber(dtype(name), code), `${code}`).toBe(Number(value));
  });

  test.each(vectors.casts)("$name: numbers become these, saturating $saturate", ({ name, saturate, cases }) => {
    const { format } = float(name);
    for (const [x, value] of cases) {
      const code = encodeMinifloat(format, Math.fround(x), saturate);
      expect(decodeMinifloat(format, code), `${x}`).toBe(Number(value));
    }
  });

  test.each(vectors.encodings)("$name: numbers have these codes", ({ name, cases }) => {
    for (const [x, code] of cases) expect(encodeNumber(dtype(name), x), `${x}`).toBe(code);
  });

  test.each(vectors.integers)("$name reaches from $min to $max", ({ name, min, max }) => {
    const row: DType = dtype(name);
    expect([row.min, row.max]).toEqual([min, max]);
  });

  test("bitsandbytes' FP4 is a sign and these magnitudes, by code", () => {
    const values = codeValues(dtype("fp4") as Parameters<typeof codeValues>[0]);
    expect(Array.from(values.slice(0, 8))).toEqual(vectors.fp4.map(Math.fround));
    expect(Array.from(values.slice(8))).toEqual(vectors.fp4.map((value) => Math.fround(-value)));
  });

  test.each(vectors.blocks)("$scheme of 32 values", ({ scheme, scale, first, codes, mse }) => {
    const q = quantized(scheme, vectors.blockInput);
    expect(scaleBytes(q)).toEqual([scale]);
    if (first !== undefined) expect(Array.from(dequantize(q).slice(0, 8))).toEqual(first);
    if (codes !== undefined) expect(Array.from(q.codes.slice(0, 8))).toEqual(codes);
    expect(meanSquare(q, vectors.blockInput)).toBeCloseTo(mse, 7);
  });

  test("NVFP4 of 16 values", () => {
    const { count, scheme, scale, first } = vectors.nvfp4;
    const q = quantized(scheme, vectors.blockInput.slice(0, count));
    expect([...scalesOf(q).values]).toEqual([scale]);
    expect(Array.from(dequantize(q).slice(0, first.length))).toEqual(first);
  });

  test("NF4 of 32 values", () => {
    const y = Array.from({ length: 32 }, (_, i) => (((37 * i) % 97) - 48) / 16);
    const q = quantized("nf4/group:32", y);
    expect([...scalesOf(q).values]).toEqual([vectors.nf4.amax]);
    expect([...q.codes]).toEqual(vectors.nf4.codes);
    expect(meanSquare(q, y)).toBeCloseTo(vectors.nf4.mse, 6);
  });
});

describe("block formats", () => {
  const { matrices, cases } = read("blocks.json") as {
    readonly matrices: Readonly<Record<string, { readonly shape: [number, number]; readonly x: number[] }>>;
    readonly cases: readonly {
      readonly scheme: string;
      readonly matrix: string;
      readonly whole?: number;
      readonly scales: number[];
      readonly codes: number[];
      readonly decodedDigest?: string;
    }[];
  };

  test.each(cases)("$scheme of $matrix numbers has these scales and codes", (golden) => {
    const { shape, x } = matrices[golden.matrix];
    const q = quantized(golden.scheme, x, shape);
    const scales = scalesOf(q);
    if (golden.whole !== undefined) expect([...(scales.outer?.values ?? [1])]).toEqual([golden.whole]);
    const bits = scales.dtype === undefined ? [...scales.values] : scaleBytes(q);
    expect(bits).toEqual(golden.scales);
    expect([...q.codes]).toEqual(golden.codes);
    if (golden.decodedDigest !== undefined)
      expect(digest(dequantize(q).map((value) => value + 0))).toBe(golden.decodedDigest);
  });
});

function quantized(scheme: string, x: readonly number[], [rows, columns] = [1, x.length]): QTensor {
  return quantizeMatrix({ values: Float32Array.from(x), rows, columns }, scheme, { rng: createRng(0) });
}

function scalesOf({ decoding }: QTensor): Scales {
  const scales = decoding.kind === "affine" ? decoding.storedScale : (decoding as Lookup).scale;
  if (scales === undefined || scales === null) throw new Error("the tensor has no scales");
  return scales;
}

/** Codes of the scales in their own format; those of mxint8 as the specification counts, with the codes' six fraction bits. */
function scaleBytes(q: QTensor): number[] {
  const { values, dtype: name, outer } = scalesOf(q);
  const format = name === "float8e8m0" ? float8e8m0 : float8e4m3fn;
  const own = [...values].map((value) => encodeMinifloat(format, value / (outer?.values[0] ?? 1)));
  return q.scheme === "mxint8" ? own.map((code) => code + 6) : own;
}

function meanSquare(q: QTensor, x: readonly number[]): number {
  const decoded = dequantize(q);
  return x.reduce((sum, value, i) => sum + (value - decoded[i]) ** 2, 0) / x.length;
}
