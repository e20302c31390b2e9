/** Arrays whose first axis counts the samples: what npy, npz, idx, CIFAR and raw feature files have in common. */
import type { ByteSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { elementTypes, type ElementType, packedBytes, sizeOf, type Tensor, unpackTensor } from "#model/tensor";

export interface Rows {
  /** What errors call it: the file, or the member of the archive. */
  readonly name: string;
  readonly type: ElementType;
  /** Of one row. */
  readonly dims: readonly number[];
  readonly length: number;
  read(index: number): Promise<Tensor>;
}

/** How rows lie in a file: row i starts at `offset + i · stride`. */
export interface RowsLayout {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly length: number;
  /** Byte of the first row. */
  readonly offset: number;
  /** Bytes from one row to the next. Default: the bytes of a row. */
  readonly stride?: number;
  readonly bigEndian?: boolean;
}

/** Rows read from a file one at a time, so that the file may be of any size. */
export function rowsOf(source: ByteSource, layout: RowsLayout): Rows {
  const { type, dims, length, offset, bigEndian = false } = layout;
  const bytes = packedBytes(type, sizeOf(dims));
  const stride = layout.stride ?? bytes;
  return {
    name: source.name,
    type,
    dims,
    length,
    read: async (index) => unpackElements(type, dims, await source.read(offset + index * stride, bytes), bigEndian),
  };
}

/** The rows of a tensor in memory. Throws `data/shape` for a scalar, which has none. */
export function rowsOfTensor(value: Tensor, name: string): Rows {
  const { type, data } = value;
  if (value.dims.length === 0 || !ArrayBuffer.isView(data))
    throw new LowbitError(
      "data/shape",
      `${name} is ${value.dims.length === 0 ? "one number" : "text"}, not rows of samples`,
      {
        at: { file: name },
      },
    );
  const [length, ...dims] = value.dims;
  const size = length === 0 ? 0 : data.length / length;
  return {
    name,
    type,
    dims,
    length,
    read: async (index) => ({ type, dims, data: data.slice(index * size, (index + 1) * size) }),
  };
}

/** Packed elements of either byte order as a tensor; bools become 0 or 1. */
export function unpackElements(
  type: ElementType,
  dims: readonly number[],
  bytes: Uint8Array,
  bigEndian: boolean,
): Tensor {
  const complex = type === "complex64" || type === "complex128";
  const width = elementTypes[type].bits / (complex ? 16 : 8);
  const value = unpackTensor(type, dims, bigEndian && width > 1 ? swapped(bytes, width) : bytes);
  if (type !== "bool") return value;
  return { ...value, data: Uint8Array.from(value.data as Uint8Array, (flag) => (flag === 0 ? 0 : 1)) };
}

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += width)
    for (let k = 0; k < width; k++) out[at + k] = bytes[at + width - 1 - k];
  return out;
}

/** The rows of several files, one after the other; all have the same type and dims. */
export function joinRows(parts: readonly Rows[]): Rows {
  if (parts.length === 1) return parts[0];
  const ends: number[] = [];
  let length = 0;
  for (const part of parts) ends.push((length += part.length));
  return {
    ...parts[0],
    length,
    async read(index) {
      const part = ends.findIndex((end) => index < end);
      return parts[part].read(index - (part === 0 ? 0 : ends[part - 1]));
    },
  };
}
