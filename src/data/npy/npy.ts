/** NumPy arrays (.npy), read and written. */
import type { ByteSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import type { Limits } from "#base/limits";
import { type NpyHeader, npyMagic, npyTypes, readNpyHeader } from "#data/npy/npyHeader";
import { type Rows, rowsOf, rowsOfTensor, unpackElements } from "#data/rows";
import { allocate, packedBytes, packTensor, sizeOf, type Tensor, type TypedArray } from "#model/tensor";

/** A whole array. Fortran order is turned into C order. Throws `npy/*`, and `limit/memory` above `limits.tensorBytes`. */
export async function readNpy(source: ByteSource, limits: Limits): Promise<Tensor> {
  return readElements(source, await readNpyHeader(source, limits), limits);
}

/** An array as rows along its first axis, read one at a time where the file's order allows it. */
export async function readNpyRows(source: ByteSource, limits: Limits): Promise<Rows> {
  const header = await readNpyHeader(source, limits);
  const { type, dims, offset, bigEndian, fortran } = header;
  if (dims.length === 0 || (fortran && dims.length > 1))
    return rowsOfTensor(await readElements(source, header, limits), source.name);
  return rowsOf(source, { type, dims: dims.slice(1), length: dims[0], offset, bigEndian });
}

async function readElements(source: ByteSource, header: NpyHeader, limits: Limits): Promise<Tensor> {
  const { type, dims, offset, bigEndian, fortran } = header;
  const bytes = packedBytes(type, sizeOf(dims));
  if (bytes > limits.tensorBytes)
    throw new LowbitError(
      "limit/memory",
      `${source.name} holds ${bytes} bytes, over the limit of ${limits.tensorBytes}`,
      {
        at: { file: source.name },
        hint: fortran
          ? "save it in C order (numpy.ascontiguousarray): then it is read row by row"
          : "raise tensorBytes",
      },
    );
  const value = unpackElements(type, dims, await source.read(offset, bytes), bigEndian);
  return fortran ? toRowMajor(value) : value;
}

/** Fortran order: the first index runs fastest. */
function toRowMajor(value: Tensor): Tensor {
  const { type, dims } = value;
  const data = value.data as TypedArray;
  const out = allocate(type, sizeOf(dims)) as TypedArray;
  const width = out.length === 0 ? 1 : out.length / sizeOf(dims); // complex numbers are two
  const strides = dims.map((_, axis) => sizeOf(dims.slice(0, axis)));
  const index = dims.map(() => 0);
  for (let to = 0, from = 0; to < out.length; to += width) {
    for (let k = 0; k < width; k++) out[to + k] = data[from * width + k];
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < dims[axis]) break;
      from -= strides[axis] * dims[axis];
      index[axis] = 0;
    }
  }
  return { type, dims, data: out };
}

/** A tensor as the bytes of an npy file, version 1. Throws `npy/unsupported` for types that NumPy does not have. */
export function writeNpy(value: Tensor): Uint8Array {
  const code = Object.keys(npyTypes).find((name) => npyTypes[name] === value.type);
  if (code === undefined)
    throw new LowbitError("npy/unsupported", `${value.type} has no npy form`, { hint: "convert it to float32 first" });
  const order = code.endsWith("1") ? "|" : "<";
  const shape = value.dims.length === 1 ? `${value.dims[0]},` : value.dims.join(", ");
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${shape}), }`;
  // elements start at a multiple of 64, so that the file can be memory-mapped; the header ends with a newline
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const elements = packTensor(value);
  const out = new Uint8Array(10 + header.length + elements.length);
  out.set(npyMagic);
  out.set([1, 0, header.length & 255, header.length >> 8], 6);
  out.set(new TextEncoder().encode(header), 10);
  out.set(elements, 10 + header.length);
  return out;
}
