/** Files whose weights are decoded by functions: stock runtimes and the operators' definitions give what `dequantize` gives. */
import { afterAll, describe, expect, test } from "vitest";
import { LowbitError } from "#base/errors";
import { createRng, type Rng } from "#base/rng";
import { onnxBytes } from "#formats/onnx/index";
import { decodeMinifloat, encodeMinifloat } from "#math/minifloat";
import { normal } from "#math/normal";
import type { Session } from "#model/session";
import type { Scales } from "#quant/decoding";
import { dequantize } from "#quant/dequantize";
import { type DTypeName, dtype } from "#quant/dtype";
import { type Granularity, parameterShape } from "#quant/granularity";
import type { QTensor } from "#quant/qtensor";
import { quantizeMatrix, quantizers } from "#quant/quantizers/index";
import type { Quantizer } from "#quant/types";
import { createReferenceSession } from "#runtimes/reference/reference";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import { decodingModel, nothingAdded } from "../decoded";

const [rows, columns] = [6, 50];
const tensorWide: Granularity = { per: "tensor" };
const granularities: Readonly<Record<string, Granularity>> = {
  tensor: tensorWide,
  rows: { per: "channel", axis: 0 },
  columns: { per: "channel", axis: 1 },
  groups: { per: "group", axis: 1, size: 16 },
  groupsOfRows: { per: "group", axis: 0, size: 4 },
  blocks: { per: "block", shape: [4, 16] },
};

function codesOf(rng: Rng, count: number, bits: number, signed = false): Int32Array {
  return Int32Array.from({ length: count }, () => rng.below(2 ** bits) - (signed ? 2 ** (bits - 1) : 0));
}

const floats = (rng: Rng, count: number): Float32Array => Float32Array.from({ length: count }, () => normal(rng));

const parameters = (granularity: Granularity): number =>
  parameterShape([rows, columns], granularity).reduce((size, dim) => size * dim, 1);

/** Scales that are numbers of their format. */
function scalesOf(rng: Rng, granularity: Granularity, type: DTypeName, outer?: Scales): Scales {
  const row = dtype(type);
  const values = Float32Array.from({ length: parameters(granularity) }, () => {
    if (row.kind === "integer") return 1 + rng.below(15);
    const x = 0.5 + rng.uniform();
    return row.kind === "float" && row.bits < 32 ? decodeMinifloat(row.format, encodeMinifloat(row.format, x)) : x;
  });
  if (outer === undefined) return { granularity, values, dtype: type };
  // per row above groups of a row
  const groups = values.length / rows;
  return { granularity, values: values.map((v, i) => v * outer.values[Math.floor(i / groups)]), dtype: type, outer };
}

function lookup(name: string, bits: number, tableGranularity: Granularity, scale: Scales | null = null): QTensor {
  const rng = createRng(name);
  const entries = 2 ** bits;
  const codes = codesOf(rng, rows * columns, bits);
  const tables = floats(rng, entries * parameters(tableGranularity));
  return {
    scheme: name,
    rows,
    columns,
    codes,
    decoding: { kind: "lookup", bits, tableGranularity, tables, entries, scale },
  };
}

function affine(type: DTypeName, granularity: Granularity, zero: boolean): QTensor {
  const rng = createRng(type);
  const { bits, signed } = dtype(type);
  const count = parameters(granularity);
  const scale = floats(rng, count);
  const zeroPoint = zero ? codesOf(rng, count, bits, signed) : null;
  const codes = codesOf(rng, rows * columns, bits, signed);
  return {
    scheme: type,
    rows,
    columns,
    codes,
    decoding: { kind: "affine", dtype: type, granularity, scale, zeroPoint },
  };
}

function codebook(bits: readonly number[], books: number, length: number, scale: Scales | null = null): QTensor {
  const name = `codebook${bits.join("_")}x${books}`;
  const rng = createRng(name);
  const stages = bits.map((width) => {
    const entries = 2 ** width - 1;
    return { bits: width, books, entries, values: floats(rng, books * entries * length) };
  });
  const perStage = (rows * columns) / length;
  const codes = Int32Array.from({ length: perStage * bits.length }, (_, i) =>
    rng.below(stages[Math.floor(i / perStage)].entries),
  );
  return { scheme: name, rows, columns, codes, decoding: { kind: "codebook", length, stages, scale } };
}

/** Numbers of a float that ONNX has as a type. */
function standardFloat(type: "float8e4m3fn" | "float8e5m2" | "float16" | "bfloat16"): QTensor {
  const row = dtype(type);
  if (row.kind !== "float") throw new Error(`${type} is no float`);
  const entries = 2 ** row.bits;
  const tables = Float32Array.from({ length: entries }, (_, code) => decodeMinifloat(row.format, code));
  const finite = [...tables.keys()].filter((code) => Number.isFinite(tables[code]));
  const codes = Uint16Array.from({ length: rows * columns }, (_, i) => finite[(i * 7919) % finite.length]);
  const decoding = {
    kind: "lookup",
    bits: row.bits,
    tableGranularity: tensorWide,
    entries,
    dtype: type,
    scale: null,
  } as const;
  return {
    scheme: type,
    rows,
    columns,
    codes,
    decoding: { ...decoding, tables: tables.map((x) => (Number.isFinite(x) ? x : 0)) },
  };
}

/** Gaussian noise of all sizes that float32 has, zeros, and one value. */
const contents: Readonly<Record<string, (x: number) => number>> = {
  noise: (x) => x,
  large: (x) => x * 2 ** 100,
  small: (x) => x * 2 ** -120,
  zeros: () => 0,
  constant: () => -0.37,
};

/** What every quantizer makes of them; where it refuses, nothing. */
function quantized(content: string): Record<string, QTensor> {
  const values = floats(createRng(9), 16 * 256).map(contents[content]);
  const made: Record<string, QTensor> = {};
  for (const scheme of Object.values<Quantizer>(quantizers).flatMap((quantizer) => quantizer.examples)) {
    try {
      made[scheme] = quantizeMatrix({ values, rows: 16, columns: 256 }, scheme, { rng: createRng(1) });
    } catch (error) {
      if (content === "noise" || !(error instanceof LowbitError)) throw error;
    }
  }
  return made;
}

/** A rotated matrix is a sum of its columns, which runtimes add up in other orders. */
const rotationRounding = 1e-6;

/** Largest difference, of the largest value. */
function distance(given: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return given.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i])), 0) / largest;
}

/** Rotated as /hadamard does: orders that are powers of two, and such that Paley's matrices make. */
function rotated(across: number): QTensor {
  const values = floats(createRng(across), 8 * across);
  return quantizeMatrix({ values, rows: 8, columns: across }, "int8/channel/hadamard", { rng: createRng(1) });
}

const widths = Array.from({ length: 16 }, (_, i) => i + 1);
const { groups, rows: perRow } = granularities;
const rng = createRng(5);
const matrices: Readonly<Record<string, QTensor>> = {
  ...Object.fromEntries(widths.map((bits) => [`lookup${bits}`, lookup(`lookup${bits}`, bits, tensorWide)])),
  ...Object.fromEntries(widths.map((bits) => [`int${bits}`, affine(`int${bits}` as DTypeName, perRow, false)])),
  ...Object.fromEntries(widths.map((bits) => [`uint${bits}`, affine(`uint${bits}` as DTypeName, groups, true)])),
  ...Object.fromEntries(
    Object.entries(granularities).flatMap(([name, granularity]) => [
      [`tables_${name}`, lookup(name, 3, granularity)],
      [`scales_${name}`, lookup(name, 2, tensorWide, scalesOf(rng, granularity, "float32"))],
      [`zeros_${name}`, affine("uint4", granularity, true)],
    ]),
  ),
  ...Object.fromEntries(
    (["float16", "bfloat16", "float8e4m3fn", "uint4"] as const).flatMap((type) => [
      [`scale_${type}`, lookup(type, 4, tensorWide, scalesOf(rng, groups, type))],
      [`outer_${type}`, lookup(type, 4, tensorWide, scalesOf(rng, groups, type, scalesOf(rng, perRow, "float32")))],
    ]),
  ),
  e4m3: standardFloat("float8e4m3fn"),
  e5m2: standardFloat("float8e5m2"),
  half: standardFloat("float16"),
  bfloat: standardFloat("bfloat16"),
  vector: codebook([8], 1, 5),
  product: codebook([5], 5, 2),
  residual: codebook([3, 6], 1, 2, scalesOf(rng, perRow, "float32")),
  ...Object.fromEntries([2, 12, 20, 64, 256, 768, 4096, 1000].map((across) => [`rotated${across}`, rotated(across)])),
  residualProduct: codebook([4, 4, 11], 2, 5),
};

const sessions: Session[] = [];
afterAll(async () => {
  for (const session of sessions) await session.close();
  for (const runtime of Object.values(nodeRuntimes)) if ("shutdown" in runtime) await runtime.shutdown();
});

type RuntimeName = "reference" | "ort-web" | "ort-node";

/** Matrices decoded by one runtime, against `dequantize`. */
async function expectDecoded(matrices: Readonly<Record<string, QTensor>>, opset: number, name: RuntimeName) {
  const model = decodingModel(matrices, opset);
  const session =
    name === "reference"
      ? await createReferenceSession(model)
      : await nodeRuntimes[name].open({ model, bytes: () => onnxBytes(model) });
  sessions.push(session);
  const results = await session.run(nothingAdded);
  for (const [each, q] of Object.entries(matrices)) {
    const expected = dequantize(q).map((x) => x + 0);
    expect(results[each].dims, each).toEqual([q.rows, q.columns]);
    if (q.rotation === undefined) expect(results[each].data, each).toEqual(expected);
    else expect(distance(results[each].data as Float32Array, expected), each).toBeLessThan(rotationRounding);
  }
}

describe.each([13, 21, 25])("at operator set %i", (opset) => {
  const all = { ...matrices, ...quantized("noise") };
  test.each(["reference", "ort-web", "ort-node"] as const)(
    "%s decodes as dequantize does",
    async (name) => {
      await expectDecoded(all, opset, name);
    },
    120_000,
  );
});

describe.each(Object.keys(contents).slice(1))("of %s", (content) => {
  const all = quantized(content);
  // ort-web's kernels are ort-node's, compiled for another machine
  test.each(["reference", "ort-node"] as const)("%s decodes as dequantize does", async (name) => {
    await expectDecoded(all, 13, name);
  });
});
