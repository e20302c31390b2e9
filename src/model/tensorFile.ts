/**
 * Tensors by name, with metadata and without a graph: what safetensors and GGUF files are, and what the weights of an ONNX model are
 * when nobody asks for its graph. Readers, writers, conversion and quantization of files meet in this one shape.
 *
 * Nothing is loaded: a tensor's data is a source of bytes, be it a range of a file or made when it is asked for.
 */
import { type ByteSource, checkRange } from "#base/bytes";
import { type ElementType, elementTypes, sizeOf } from "#model/tensor";
import type { MetadataValue } from "#model/metadata";

export type TensorFormat = "safetensors" | "gguf" | "onnx";

export interface TensorFile {
  /** The format it was read from, or is made for. */
  readonly format: TensorFormat;
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  /** In the order of the file. Names are unique. */
  readonly tensors: readonly StoredTensor[];
}

export interface StoredTensor {
  readonly name: string;
  readonly type: StorageType;
  /** The last dimension is the one whose neighbours lie side by side. (GGUF files list them the other way round.) */
  readonly shape: readonly number[];
  /** `bytesOf(type, shape)` bytes. Read whole blocks only: what is computed is computed block by block. */
  readonly data: ByteSource;
}

/** How elements lie in bytes: so many of them in a block of so many bytes, blocks one after another. */
export interface StorageType {
  /** An element type of `model/tensor`, "float6e2m3", or a ggml block type such as "q4_k". */
  readonly name: string;
  /** Elements in a block: 1 for most, 2 for 4-bit integers, 256 for q4_k. */
  readonly blockLength: number;
  readonly blockBytes: number;
  /** Where the elements are those of a tensor of ours. */
  readonly element?: ElementType;
}

const elementStorages = new Map<ElementType, StorageType>(
  Object.entries(elementTypes).flatMap(([name, { bits }]) => {
    if (bits === 0) return [];
    const element = name as ElementType;
    const blockLength = bits < 8 ? 8 / bits : 1;
    return [[element, { name, blockLength, blockBytes: (bits * blockLength) / 8, element }]];
  }),
);

/** How elements of a type are stored. Strings are not. */
export function storageOf(element: Exclude<ElementType, "string">): StorageType {
  return elementStorages.get(element) as StorageType; // every type but string has a row
}

/** Bytes of a tensor; the last block may be partly used. */
export function bytesOf({ blockLength, blockBytes }: StorageType, shape: readonly number[]): number {
  return Math.ceil(sizeOf(shape) / blockLength) * blockBytes;
}

/** A part of a source, as a source. */
export function rangeOf(source: ByteSource, offset: number, length: number): ByteSource {
  checkRange(source, offset, length);
  const range: ByteSource = {
    name: source.name,
    size: length,
    read(at, count) {
      checkRange(range, at, count);
      return source.read(offset + at, count);
    },
  };
  return range;
}

/** About how much is read at a time when data is copied. */
const pieceBytes = 4 * 2 ** 20;

/** A tensor's data, piece by piece. */
export async function* piecesOf({ type, data }: Pick<StoredTensor, "type" | "data">): AsyncIterable<Uint8Array> {
  const step = Math.max(1, Math.floor(pieceBytes / type.blockBytes)) * type.blockBytes;
  for (let at = 0; at < data.size; at += step) yield data.read(at, Math.min(step, data.size - at));
}
