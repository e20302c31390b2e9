/**
 * Tensors as they flow through a session: an element type, dims, and one array.
 *
 * Types JavaScript has no array for are kept as their codes, one per element: float16 and bfloat16 in a Uint16Array, the
 * float8s and float4 in a Uint8Array. 4- and 2-bit integers are kept unpacked, one per byte. So `data.length` is always the
 * number of elements (complex numbers: twice that), and nothing is lost on the way.
 */
import { LowbitError } from "#base/errors";
import { sharedKernels } from "#kernels/shared";
import {
  bfloat16,
  decodeMinifloat,
  encodeMinifloat,
  float4e2m1,
  float8e4m3fn,
  float8e4m3fnuz,
  float8e5m2,
  float8e5m2fnuz,
  float16,
  type Minifloat,
} from "#math/minifloat";
import { packBits, signExtend, unpackBits } from "#math/packing";

/** ONNX's tensor element types, in lower case. `code` is TensorProto.DataType; `bits` is the packed width. */
export const elementTypes = {
  float32: { code: 1, bits: 32, array: Float32Array },
  uint8: { code: 2, bits: 8, array: Uint8Array },
  int8: { code: 3, bits: 8, array: Int8Array },
  uint16: { code: 4, bits: 16, array: Uint16Array },
  int16: { code: 5, bits: 16, array: Int16Array },
  int32: { code: 6, bits: 32, array: Int32Array },
  int64: { code: 7, bits: 64, array: BigInt64Array },
  string: { code: 8, bits: 0, array: undefined },
  bool: { code: 9, bits: 8, array: Uint8Array },
  float16: { code: 10, bits: 16, array: Uint16Array },
  float64: { code: 11, bits: 64, array: Float64Array },
  uint32: { code: 12, bits: 32, array: Uint32Array },
  uint64: { code: 13, bits: 64, array: BigUint64Array },
  complex64: { code: 14, bits: 64, array: Float32Array },
  complex128: { code: 15, bits: 128, array: Float64Array },
  bfloat16: { code: 16, bits: 16, array: Uint16Array },
  float8e4m3fn: { code: 17, bits: 8, array: Uint8Array },
  float8e4m3fnuz: { code: 18, bits: 8, array: Uint8Array },
  float8e5m2: { code: 19, bits: 8, array: Uint8Array },
  float8e5m2fnuz: { code: 20, bits: 8, array: Uint8Array },
  uint4: { code: 21, bits: 4, array: Uint8Array },
  int4: { code: 22, bits: 4, array: Int8Array },
  float4e2m1: { code: 23, bits: 4, array: Uint8Array },
  float8e8m0: { code: 24, bits: 8, array: Uint8Array },
  uint2: { code: 25, bits: 2, array: Uint8Array },
  int2: { code: 26, bits: 2, array: Int8Array },
} as const;

export type ElementType = keyof typeof elementTypes;

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export interface Tensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** Strings for type "string", else the array that `elementTypes` names. */
  readonly data: TypedArray | readonly string[];
}

const byCode = new Map<number, ElementType>(
  Object.entries(elementTypes).map(([name, row]) => [row.code, name as ElementType]),
);

export function elementTypeOf(code: number): ElementType | undefined {
  return byCode.get(code);
}

/** The small-float format of an element type, if it is one. */
export const minifloats: Partial<Record<ElementType, Minifloat>> = {
  float16,
  bfloat16,
  float8e4m3fn,
  float8e4m3fnuz,
  float8e5m2,
  float8e5m2fnuz,
  float4e2m1,
};

/** Product of dims: 1 for a scalar. */
export function sizeOf(dims: readonly number[]): number {
  let size = 1;
  for (const dim of dims) size *= dim;
  return size;
}

/** Bytes of `count` elements as ONNX packs them. */
export function packedBytes(type: ElementType, count: number): number {
  return Math.ceil((count * elementTypes[type].bits) / 8);
}

/** A zero-filled array for `count` elements. */
export function allocate(type: ElementType, count: number): TypedArray | string[] {
  const { array } = elementTypes[type];
  if (array === undefined) return Array.from({ length: count }, () => "");
  return new array(type === "complex64" || type === "complex128" ? count * 2 : count);
}

export function tensor(type: ElementType, dims: readonly number[], data: TypedArray | readonly string[]): Tensor {
  const expected = sizeOf(dims) * (type === "complex64" || type === "complex128" ? 2 : 1);
  if (data.length !== expected)
    throw new LowbitError(
      "model/shape",
      `a ${type} tensor of shape [${dims.join(", ")}] needs ${expected} elements, not ${data.length}`,
    );
  return { type, dims, data };
}

export function float32(dims: readonly number[], data: Float32Array | readonly number[]): Tensor {
  return tensor("float32", dims, data instanceof Float32Array ? data : Float32Array.from(data));
}

export function int64(dims: readonly number[], data: readonly (number | bigint)[]): Tensor {
  return tensor("int64", dims, BigInt64Array.from(data, BigInt));
}

/** Little-endian packed bytes (ONNX raw_data) → one array element per tensor element. */
export function unpackTensor(type: ElementType, dims: readonly number[], bytes: Uint8Array): Tensor {
  const count = sizeOf(dims);
  const { array, bits } = elementTypes[type];
  if (array === undefined) throw new LowbitError("model/type", "strings have no packed form");
  if (bytes.byteLength !== packedBytes(type, count)) {
    throw new LowbitError(
      "model/shape",
      `${type} [${dims.join(", ")}] needs ${packedBytes(type, count)} bytes, not ${bytes.byteLength}`,
    );
  }
  if (bits < 8) {
    const codes = unpackBits(bytes, bits, count);
    if (type !== "int4" && type !== "int2") return { type, dims, data: codes as Uint8Array };
    return { type, dims, data: Int8Array.from(codes, (code) => signExtend(code, bits)) };
  }
  // typed arrays need aligned starts; slice() would not do: that of Node's Buffer, a Uint8Array too, does not copy
  const aligned = bytes.byteOffset % array.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return {
    type,
    dims,
    data: new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / array.BYTES_PER_ELEMENT),
  };
}

/** The inverse of `unpackTensor`. Multi-byte elements are little-endian, as every platform that runs JavaScript today is. */
export function packTensor(value: Tensor): Uint8Array {
  const { bits } = elementTypes[value.type];
  const { data } = value;
  if (!ArrayBuffer.isView(data)) throw new LowbitError("model/type", "strings have no packed form");
  if (bits < 8) return packBits(data as Uint8Array, bits);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The elements as JavaScript numbers; small floats decoded, int64 beyond 2⁵³ rounded. Float32 and float64 are not copied. */
export function toNumbers(value: Tensor): Float32Array | Float64Array {
  const { data, type } = value;
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  const format = minifloats[type];
  const out = new Float64Array(data.length);
  if (format !== undefined) {
    const table = decodeTable(format);
    for (let i = 0; i < out.length; i++) out[i] = table[data[i] as number];
  } else if (type === "float8e8m0") {
    for (let i = 0; i < out.length; i++) out[i] = data[i] === 255 ? Number.NaN : 2 ** ((data[i] as number) - 127);
  } else if (Array.isArray(data) || data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < out.length; i++) out[i] = Number(data[i]);
  } else {
    out.set(data as Uint8Array);
  }
  return out;
}

/**
 * Numbers → a tensor of `type`, by ONNX's Cast: floats round to nearest even, integers truncate toward zero and wrap,
 * bool is "not zero". Small floats saturate only when told to.
 */
export function fromNumbers(
  type: ElementType,
  dims: readonly number[],
  values: ArrayLike<number>,
  saturate = false,
): Tensor {
  const out = allocate(type, values.length);
  const format = minifloats[type];
  if (format !== undefined) {
    const codes = out as Uint8Array | Uint16Array; // of small floats
    // of float64 a rounding to float32 first would be one too many
    if (values instanceof Float32Array) sharedKernels().encodeFloats(values, format, saturate, codes);
    else for (let i = 0; i < codes.length; i++) codes[i] = encodeMinifloat(format, values[i], saturate);
  } else if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    for (let i = 0; i < out.length; i++) out[i] = Number.isFinite(values[i]) ? BigInt(Math.trunc(values[i])) : 0n;
  } else if (type === "bool") {
    for (let i = 0; i < out.length; i++) (out as Uint8Array)[i] = values[i] === 0 ? 0 : 1;
  } else if (Array.isArray(out)) {
    for (let i = 0; i < out.length; i++) out[i] = String(values[i]);
  } else if (elementTypes[type].bits < 8) {
    const { bits } = elementTypes[type];
    const signed = type.startsWith("int");
    const mask = 2 ** bits - 1;
    for (let i = 0; i < out.length; i++) out[i] = signed ? signExtend(values[i] & mask, bits) : values[i] & mask;
  } else {
    (out as Float64Array).set(values); // each array converts as its elements do, and natively
  }
  return { type, dims, data: out };
}

const tables = new Map<Minifloat, Float64Array>();

function decodeTable(format: Minifloat): Float64Array {
  let table = tables.get(format);
  if (table === undefined) {
    table = Float64Array.from({ length: 2 ** format.bits }, (_, code) => decodeMinifloat(format, code));
    tables.set(format, table);
  }
  return table;
}
