/**
 * Quantized tensors out of a safetensors file that `quantizedLayout` describes. The file is a stranger's: each text has to have the
 * form that is written, each tensor the type and shape that follow from it, each code an entry in its table.
 */
import { LowbitError } from "#base/errors";
import { defaultLimits, type Limits } from "#base/limits";
import { hadamardOrder } from "#math/hadamard";
import { unpackBits } from "#math/packing";
import { rowBytes, unpackRows } from "#math/packRows";
import { bitsOf, codesOf, descriptionKey, dimsOf, nativeType, numbered } from "#formats/safetensors/quantizedLayout";
import { type Description, invalid, readDescription, type ScaleText } from "#formats/safetensors/readDescription";
import { textOf } from "#model/metadata";
import { sizeOf } from "#model/tensor";
import { type StorageType, type StoredTensor, storageOf, type TensorFile } from "#model/tensorFile";
import { codeValues } from "#quant/codeValues";
import type { Decoding, Scales } from "#quant/decoding";
import { type DType, type DTypeName, dtype } from "#quant/dtype";
import { type GgmlTypeName, ggmlTypes } from "#quant/ggml/index";
import { outerTimesInner } from "#quant/innerScales";
import type { QTensor } from "#quant/qtensor";

type Matrix = readonly [rows: number, columns: number];

/** A quantized tensor that has not been read. */
export interface QuantizedEntry {
  readonly name: string;
  readonly scheme: string;
  readonly shape: readonly number[];
  /** The block type of codes that are ggml's. */
  readonly blocks?: GgmlTypeName;
  /** The tensors of the file that it is made of. */
  readonly parts: readonly StoredTensor[];
  /** Rows are the first dimension. Throws safetensors/invalid, limit/memory. */
  readonly load: () => Promise<QTensor>;
}

/** The quantized tensors that a file describes. Throws safetensors/invalid for a description that its tensors do not keep. */
export function quantizedEntries(
  { metadata, tensors }: TensorFile,
  limits: Limits = defaultLimits,
): readonly QuantizedEntry[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const prefix = descriptionKey("");
  return [...metadata].flatMap(([key, value]): QuantizedEntry[] => {
    if (!key.startsWith(prefix)) return [];
    const name = key.slice(prefix.length);
    const described = readDescription(textOf(value), name);
    const parts = suffixesOf(described).flatMap((suffix) => byName.get(name + suffix) ?? []);
    const load = (): Promise<QTensor> => loadTensor(new PartReader(name, parts, limits), described);
    const { scheme, shape, decoding } = described;
    return [{ name, scheme, shape, parts, load, ...(decoding.kind === "ggml" ? { blocks: decoding.type } : {}) }];
  });
}

/** Suffixes that a description promises, and those that may be there. */
function suffixesOf({ decoding, rotation }: Description): readonly string[] {
  const suffixes = ["_shape", "_zero_point", "_scale", "_scale_outer"];
  if (rotation !== undefined) suffixes.push("_signs");
  switch (decoding.kind) {
    case "affine":
    case "ggml":
      return [...suffixes, "_packed"];
    case "lookup":
      return [...suffixes, "_table", nativeType(decoding.dtype as DTypeName) === undefined ? "_packed" : ""];
    case "codebook":
      return [...suffixes, ...decoding.stages.flatMap((_, i) => [numbered("_packed", i), numbered("_codebook", i)])];
  }
}

/** Reads siblings by suffix, each only as what it must be. */
class PartReader {
  readonly name: string;
  readonly parts: readonly StoredTensor[];
  readonly #limits: Limits;

  constructor(name: string, parts: readonly StoredTensor[], limits: Limits) {
    this.name = name;
    this.parts = parts;
    this.#limits = limits;
  }

  /** Throws where so many numbers would not be loaded at once. */
  checkMemory(numbers: number): void {
    if (numbers * 4 <= this.#limits.tensorBytes) return;
    const what = `${this.name} decodes to ${numbers * 4} bytes, over the limit of ${this.#limits.tensorBytes}`;
    throw new LowbitError("limit/memory", what, { at: { tensor: this.name }, hint: "raise tensorBytes" });
  }

  async bytes(suffix: string, type: StorageType, shape: readonly number[]): Promise<Uint8Array> {
    const found = this.parts.find(({ name }) => name === this.name + suffix);
    if (found === undefined) throw invalid(this.name, `lacks ${this.name}${suffix}`);
    const expected = `${type.name} [${shape.join(", ")}]`;
    const given = `${found.type.name} [${found.shape.join(", ")}]`;
    if (expected !== given) throw invalid(this.name, `needs ${found.name} to be ${expected}; it is ${given}`);
    if (found.data.size > this.#limits.tensorBytes)
      throw new LowbitError(
        "limit/memory",
        `${found.name} has ${found.data.size} bytes, over the limit of ${this.#limits.tensorBytes}`,
        {
          at: { tensor: found.name },
          hint: "raise tensorBytes",
        },
      );
    // a copy, whose start is aligned
    return new Uint8Array(await found.data.read(0, found.data.size));
  }

  has(suffix: string): boolean {
    return this.parts.some(({ name }) => name === this.name + suffix);
  }

  async floats(suffix: string, shape: readonly number[]): Promise<Float32Array> {
    return new Float32Array((await this.bytes(suffix, storageOf("float32"), shape)).buffer);
  }

  /** [rows, columns] */
  async codes(suffix: string, rows: number, columns: number, bits: number, lowest: number): Promise<Int32Array> {
    const bytes = await this.bytes(suffix, storageOf("int32"), [rows, rowBytes(columns, bits) / 4]);
    return unpackRows(bytes, rows, columns, bits, lowest);
  }
}

async function loadTensor(reader: PartReader, { scheme, shape, decoding, rotation }: Description): Promise<QTensor> {
  const rows = shape.length < 2 ? 1 : shape[0];
  const columns = sizeOf(shape.slice(shape.length < 2 ? 0 : 1));
  const matrix: Matrix = [rows, columns];
  reader.checkMemory(rows * columns * (decoding.kind === "codebook" ? decoding.stages.length : 1));
  const { codes, decoding: read } = await loadDecoding(reader, shape, matrix, decoding);
  const q = { scheme, rows, columns, codes, decoding: read };
  if (rotation === undefined) return q;
  const { order } = rotation;
  if (columns % order !== 0 || hadamardOrder(order) !== order)
    throw invalid(reader.name, `cannot be rotated by ${order} columns of its ${columns}`);
  const negative = await reader.codes("_signs", 1, columns, 1, 0);
  return { ...q, rotation: { order, signs: Int8Array.from(negative, (bit) => 1 - 2 * bit) } };
}

async function loadDecoding(
  reader: PartReader,
  shape: readonly number[],
  matrix: Matrix,
  text: Description["decoding"],
): Promise<Pick<QTensor, "codes" | "decoding">> {
  const [rows, columns] = matrix;
  switch (text.kind) {
    case "affine": {
      const { kind, granularity } = text;
      const row = formatOf(text.dtype, reader.name);
      const { bits, min } = codesOf(row);
      const codes = await reader.codes("_packed", rows, columns, bits, min);
      const stored = await loadScales(reader, "_scale", text.scale, matrix);
      const plain = stored.dtype === undefined && stored.outer === undefined;
      const zeroPoint = await loadZeroPoints(reader, bits, min, dimsOf(granularity, matrix));
      const scale = { scale: stored.values, zeroPoint, ...(plain ? {} : { storedScale: stored }) };
      return { codes, decoding: { kind, dtype: row.name, granularity, ...scale } };
    }
    case "lookup": {
      const { kind, bits, tableGranularity, entries } = text;
      const tables = await loadTables(reader, text, matrix);
      const codes = await loadLookupCodes(reader, shape, matrix, text);
      if (codes.some((code) => code >= entries)) throw invalid(reader.name, `has codes beyond its ${entries} entries`);
      const scale = text.scale && (await loadScales(reader, "_scale", text.scale, matrix));
      const known = text.dtype === undefined ? {} : { dtype: formatOf(text.dtype, reader.name).name };
      return { codes, decoding: { kind, bits, tableGranularity, tables, entries, ...known, scale } };
    }
    case "codebook":
      return loadCodebook(reader, matrix, text);
    case "ggml": {
      const { elements, bytes } = ggmlTypes[text.type];
      if (columns % elements !== 0)
        throw invalid(reader.name, `has rows of ${columns}, no multiple of ${text.type}'s ${elements}`);
      const codes = await reader.bytes("_packed", storageOf("uint8"), [rows, (columns / elements) * bytes]);
      return { codes, decoding: text };
    }
  }
}

type TextOf<K extends Decoding["kind"]> = Extract<Description["decoding"], { kind: K }>;

async function loadTables(reader: PartReader, text: TextOf<"lookup">, matrix: Matrix): Promise<Float32Array> {
  const { entries, tableGranularity } = text;
  if (text.dtype === undefined) return reader.floats("_table", [sizeOf(dimsOf(tableGranularity, matrix)), entries]);
  const row = formatOf(text.dtype, reader.name);
  const tables = row.kind === "float" || row.kind === "table" ? codeValues(row) : undefined;
  if (tables?.length === entries && row.bits === text.bits && tableGranularity.per === "tensor") return tables;
  throw invalid(reader.name, `is no lookup of ${entries} entries in ${row.name}`);
}

async function loadLookupCodes(
  reader: PartReader,
  shape: readonly number[],
  [rows, columns]: Matrix,
  text: TextOf<"lookup">,
): Promise<QTensor["codes"]> {
  const native = nativeType(text.dtype as DTypeName | undefined);
  if (native === undefined) return reader.codes("_packed", rows, columns, text.bits, 0);
  const bytes = await reader.bytes("", native, shape);
  return bitsOf(native) > 8 ? new Uint16Array(bytes.buffer) : unpackBits(bytes, bitsOf(native), rows * columns);
}

async function loadCodebook(
  reader: PartReader,
  matrix: Matrix,
  text: TextOf<"codebook">,
): Promise<Pick<QTensor, "codes" | "decoding">> {
  const [rows, columns] = matrix;
  const { kind, length } = text;
  const perRow = columns / length;
  if (!Number.isInteger(perRow))
    throw invalid(reader.name, `has rows of ${columns}, no multiple of its vectors' ${length}`);
  const codes = new Int32Array(text.stages.length * rows * perRow);
  const stages = [];
  for (const [i, { bits, books, entries }] of text.stages.entries()) {
    if (perRow % books !== 0)
      throw invalid(reader.name, `has ${perRow} vectors a row, which ${books} books cannot share`);
    const values = await reader.floats(numbered("_codebook", i), [books, entries, length]);
    const own = await reader.codes(numbered("_packed", i), rows, perRow, bits, 0);
    if (own.some((code) => code >= entries)) throw invalid(reader.name, `has codes beyond its ${entries} entries`);
    codes.set(own, i * rows * perRow);
    stages.push({ bits, books, entries, values });
  }
  const scale = text.scale && (await loadScales(reader, "_scale", text.scale, matrix));
  return { codes, decoding: { kind, length, stages, scale } };
}

async function loadScales(reader: PartReader, suffix: string, text: ScaleText, matrix: Matrix): Promise<Scales> {
  const { granularity, outer: outerText } = text;
  const inner = await loadNumbers(reader, suffix, text.dtype ?? "float32", dimsOf(granularity, matrix));
  const outer = outerText && (await loadScales(reader, `${suffix}_outer`, outerText, matrix));
  const levels = {
    granularity,
    ...(text.dtype === undefined ? {} : { dtype: formatOf(text.dtype, reader.name).name }),
    ...(outer === undefined ? {} : { outer }),
  };
  return { ...levels, values: outerTimesInner(inner, levels, matrix) };
}

async function loadNumbers(
  reader: PartReader,
  suffix: string,
  name: string,
  dims: readonly number[],
): Promise<Float32Array> {
  if (name === "float32") return reader.floats(suffix, dims);
  const row = formatOf(name, reader.name);
  const native = nativeType(row.name);
  const { bits, min } = codesOf(row);
  const columns = dims[1] ?? 1;
  let codes: ArrayLike<number>;
  if (native !== undefined && bitsOf(native) >= 8) {
    const bytes = await reader.bytes(suffix, native, dims);
    codes = bitsOf(native) === 8 ? bytes : new Uint16Array(bytes.buffer);
  } else codes = await reader.codes(suffix, sizeOf(dims) / columns, columns, bits, min);
  if (row.kind === "integer") return Float32Array.from(codes);
  if (row.kind !== "float") throw invalid(reader.name, `has scales of ${name}`);
  const values = codeValues(row);
  return Float32Array.from(codes, (code) => values[code]);
}

async function loadZeroPoints(
  reader: PartReader,
  bits: number,
  min: number,
  dims: readonly number[],
): Promise<Int32Array | null> {
  if (!reader.has("_zero_point")) return null;
  const [rows, columns] = [dims[0] ?? 1, dims[1] ?? 1];
  const perColumn = rowBytes(rows, bits) / 4;
  const words = new Int32Array((await reader.bytes("_zero_point", storageOf("int32"), [perColumn, columns])).buffer);
  const turned = new Int32Array(words.length);
  for (let w = 0; w < perColumn; w++)
    for (let c = 0; c < columns; c++) turned[c * perColumn + w] = words[w * columns + c];
  const codes = unpackRows(new Uint8Array(turned.buffer), columns, rows, bits, min);
  const out = new Int32Array(codes.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[r * columns + c] = codes[c * rows + r];
  return out;
}

/** The row of a format of up to 16 bits that codes and scales may have. */
function formatOf(name: string, tensor: string): DType {
  let row: DType | undefined;
  try {
    row = dtype(name);
  } catch {
    // told below, as a fault of the file
  }
  if (row !== undefined && row.bits <= 16) return row;
  throw invalid(tensor, `has the unknown format ${name}`);
}
