/**
 * How a quantized tensor `W` lies in a safetensors file: its codes and what decodes them as tensors beside where it was, and a text of
 * metadata, `lowbit:W`, that says how they belong together. docs/files.md draws it. For integers of up to 8 bits it is the layout
 * "pack-quantized" of compressed-tensors; codes of formats that safetensors has a type for stay `W`, as in its "float-quantized".
 */
import { encodeMinifloat } from "#math/minifloat";
import { packRows, rowBytes } from "#math/packRows";
import { roundHalfEven } from "#math/round";
import { packTensor, type ElementType } from "#model/tensor";
import { dtypeOf } from "#formats/safetensors/dtypes";
import type { Decoding, Scales } from "#quant/decoding";
import { type DType, type DTypeName, dtype } from "#quant/dtype";
import { type Granularity, parameterShape } from "#quant/granularity";
import { innerScales } from "#quant/innerScales";
import type { QTensor } from "#quant/qtensor";
import { type StorageType, storageOf } from "#model/tensorFile";
import { packBits } from "#math/packing";

/** A tensor beside others: W's name with `suffix` behind it. */
export interface Sibling {
  readonly suffix: string;
  readonly type: StorageType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Key of the text that describes W. */
export const descriptionKey = (name: string): string => `lowbit:${name}`;

type Matrix = readonly [rows: number, columns: number];

const int32 = storageOf("int32");

/**
 * The codes. Tiles of rows may be given one after another: their bytes follow each other, and first dimensions add up. `rest` is the
 * tensor's shape after the first dimension.
 */
export function codeTensors({ codes, rows, columns, decoding }: QTensor, rest: readonly number[]): readonly Sibling[] {
  switch (decoding.kind) {
    case "affine": {
      const { bits, min } = codesOf(dtype(decoding.dtype));
      return [packed("_packed", codes, rows, columns, bits, min)];
    }
    case "lookup": {
      const native = nativeType(decoding.dtype);
      if (native === undefined) return [packed("_packed", codes, rows, columns, decoding.bits, 0)];
      const bytes = bitsOf(native) > 8 ? viewOf(Uint16Array.from(codes)) : packBits(codes, bitsOf(native));
      return [{ suffix: "", type: native, shape: [rows, ...rest], bytes }];
    }
    case "codebook": {
      const perRow = columns / decoding.length;
      return decoding.stages.map(({ bits }, stage) => {
        const own = codes.subarray(stage * rows * perRow, (stage + 1) * rows * perRow);
        return packed(numbered("_packed", stage), own, rows, perRow, bits, 0);
      });
    }
    case "ggml": {
      const bytes = viewOf(codes);
      return [
        { suffix: "_packed", type: storageOf("uint8"), shape: [rows, rows === 0 ? 0 : bytes.length / rows], bytes },
      ];
    }
  }
}

/** Everything else that decoding needs. */
export function parameterTensors(q: Omit<QTensor, "codes">, shape: readonly number[]): readonly Sibling[] {
  const { rows, columns, decoding, rotation } = q;
  const matrix: Matrix = [rows, columns];
  const siblings: Sibling[] = [];
  switch (decoding.kind) {
    case "affine": {
      const { granularity, scale, zeroPoint, storedScale } = decoding;
      siblings.push(...scaleTensors("_scale", storedScale ?? { granularity, values: scale }, matrix));
      if (zeroPoint !== null) siblings.push(zeroPoints(zeroPoint, decoding.dtype, dimsOf(granularity, matrix)));
      break;
    }
    case "lookup": {
      if (decoding.dtype === undefined)
        siblings.push(floats("_table", decoding.tables, [decoding.tables.length / decoding.entries, decoding.entries]));
      if (decoding.scale !== null) siblings.push(...scaleTensors("_scale", decoding.scale, matrix));
      break;
    }
    case "codebook": {
      for (const [i, { books, entries, values }] of decoding.stages.entries())
        siblings.push(floats(numbered("_codebook", i), values, [books, entries, decoding.length]));
      if (decoding.scale !== null) siblings.push(...scaleTensors("_scale", decoding.scale, matrix));
      break;
    }
    case "ggml":
  }
  if (rotation !== undefined) {
    const negative = rotation.signs.map((sign) => (sign < 0 ? 1 : 0));
    siblings.push(packed("_signs", negative, 1, columns, 1, 0));
  }
  const dims = BigInt64Array.from(shape, BigInt);
  siblings.push({ suffix: "_shape", type: storageOf("int64"), shape: [dims.length], bytes: viewOf(dims) });
  return siblings;
}

/** What `readQuantized` needs to know that the tensors do not say. */
export function description(
  { scheme, decoding, rotation }: Pick<QTensor, "scheme" | "decoding" | "rotation">,
  shape: readonly number[],
): string {
  const parts = { version: 1, scheme, shape, decoding: decodingText(decoding) };
  return JSON.stringify(rotation === undefined ? parts : { ...parts, rotation: { order: rotation.order } });
}

function decodingText(decoding: Decoding): object {
  switch (decoding.kind) {
    case "affine": {
      const { kind, granularity, storedScale } = decoding;
      const scale = storedScale === undefined ? { granularity } : scaleText(storedScale);
      return { kind, dtype: decoding.dtype, granularity, scale };
    }
    case "lookup": {
      const { kind, bits, tableGranularity, entries, scale } = decoding;
      const known = decoding.dtype === undefined ? {} : { dtype: decoding.dtype };
      return { kind, bits, tableGranularity, entries, ...known, scale: scale && scaleText(scale) };
    }
    case "codebook": {
      const { kind, length, stages, scale } = decoding;
      const books = stages.map((stage) => ({ bits: stage.bits, books: stage.books, entries: stage.entries }));
      return { kind, length, stages: books, scale: scale && scaleText(scale) };
    }
    case "ggml":
      return decoding;
  }
}

function scaleText({ granularity, dtype, outer }: Scales): object {
  return {
    granularity,
    ...(dtype === undefined ? {} : { dtype }),
    ...(outer === undefined ? {} : { outer: scaleText(outer) }),
  };
}

/** Of each level the numbers in the format they are exact in. */
function scaleTensors(suffix: string, scales: Scales, matrix: Matrix): Sibling[] {
  const dims = dimsOf(scales.granularity, matrix);
  const inner = numbers(suffix, innerScales(scales, matrix), scales.dtype ?? "float32", dims);
  return scales.outer === undefined ? [inner] : [inner, ...scaleTensors(`${suffix}_outer`, scales.outer, matrix)];
}

function numbers(suffix: string, values: Float32Array, name: DTypeName, shape: readonly number[]): Sibling {
  if (name === "float32") return floats(suffix, values, shape);
  const row = dtype(name);
  const encode = row.kind === "float" ? (value: number) => encodeMinifloat(row.format, value) : roundHalfEven;
  const codes = Int32Array.from(values, encode);
  const native = nativeType(name);
  if (native !== undefined && bitsOf(native) >= 8) {
    const bytes = bitsOf(native) === 8 ? Uint8Array.from(codes) : viewOf(Uint16Array.from(codes));
    return { suffix, type: native, shape, bytes };
  }
  const columns = shape[1] ?? 1;
  const { bits, min } = codesOf(row);
  return packed(suffix, codes, codes.length / columns, columns, bits, min);
}

/** As compressed-tensors has them: packed along the rows. */
function zeroPoints(values: Int32Array, name: DTypeName, dims: readonly number[]): Sibling {
  const [rows, columns] = [dims[0] ?? 1, dims[1] ?? 1];
  const { bits, min } = codesOf(dtype(name));
  const turned = new Int32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = values[r * columns + c];
  const words = new Int32Array(packRows(turned, rows, bits, min).buffer);
  const perColumn = words.length / columns;
  const back = new Int32Array(words.length);
  for (let w = 0; w < perColumn; w++)
    for (let c = 0; c < columns; c++) back[w * columns + c] = words[c * perColumn + w];
  return { suffix: "_zero_point", type: int32, shape: [perColumn, columns], bytes: viewOf(back) };
}

function packed(
  suffix: string,
  codes: ArrayLike<number>,
  rows: number,
  columns: number,
  bits: number,
  lowest: number,
): Sibling {
  return {
    suffix,
    type: int32,
    shape: [rows, rowBytes(columns, bits) / 4],
    bytes: packRows(codes, columns, bits, lowest),
  };
}

function floats(suffix: string, values: Float32Array, shape: readonly number[]): Sibling {
  return {
    suffix,
    type: storageOf("float32"),
    shape,
    bytes: packTensor({ type: "float32", dims: shape, data: values }),
  };
}

/** Of parameters of a matrix: one for the tensor, else in two dimensions. */
export function dimsOf(granularity: Granularity, matrix: Matrix): readonly number[] {
  const dims = parameterShape(matrix, granularity);
  if (granularity.per === "tensor") return [1];
  if (granularity.per !== "channel") return dims;
  return granularity.axis === 0 || granularity.axis === -2 ? [dims[0], 1] : [1, dims[0]];
}

/** The type of safetensors whose bytes a format's codes are. */
export function nativeType(name: DTypeName | undefined): StorageType | undefined {
  if (name === undefined || !/^(b?float16$|float8|float6e|float4e2m1)/.test(name)) return undefined;
  const type = name.startsWith("float6")
    ? { name, blockLength: 4, blockBytes: 3 }
    : storageOf(name as Exclude<ElementType, "string">); // both lists name them alike
  return dtypeOf(type) === undefined ? undefined : type;
}

export function bitsOf({ blockLength, blockBytes }: StorageType): number {
  return (blockBytes * 8) / blockLength;
}

/** Width and lowest of a format's codes: numbers of integers and fixed point, indices of all else. */
export function codesOf(row: DType): { readonly bits: number; readonly min: number } {
  const signed = row.signed && (row.kind === "integer" || row.kind === "fixed");
  return { bits: row.bits, min: signed ? -(2 ** (row.bits - 1)) : 0 };
}

/** → "_packed", "_packed_1", "_packed_2" */
export function numbered(suffix: string, index: number): string {
  return index === 0 ? suffix : `${suffix}_${index}`;
}

function viewOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
