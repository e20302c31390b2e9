/**
 * Reading a GGUF file: its metadata into memory, its tensors as byte ranges. Every count and size is compared with what the file still
 * has before anything is done with it, in integers that do not wrap: that is what made loaders of this format famous.
 *
 * Source: ggml/docs/gguf.md; ggml/src/gguf.cpp for what it leaves open.
 */
import type { ByteSource } from "#base/bytes";
import type { LowbitError } from "#base/errors";
import { defaultLimits, type Limits } from "#base/limits";
import { Cursor, MoreNeeded } from "#formats/gguf/cursor";
import { storageOfGgmlType } from "#formats/gguf/ggmlTypes";
import { readValue } from "#formats/gguf/readValue";
import type { MetadataValue } from "#model/metadata";
import { rangeOf, type StorageType, type StoredTensor, type TensorFile } from "#model/tensorFile";

/** "GGUF". */
export const magic = 0x46554747;
export const alignmentKey = "general.alignment";
export const defaultAlignment = 32;
const largestAlignment = 2 ** 16;

/** ggml's own limits are 4 dimensions and names of 63 bytes; longer names are read, and not written. */
export const mostDimensions = 4;
const longestName = 1024;
const longestKey = 2 ** 16 - 1;
/** The least that a tensor and a key with its value take. */
const [leastTensor, leastPair] = [24, 13];

/** Read first; most files need more, a few times as much. */
const firstRead = 2 ** 20;

/**
 * Opens a GGUF file of version 2 or 3, little-endian. Tensors are ranges of `source`, which must stay open and unchanged as long as they
 * are used; types that nothing here decodes are bytes.
 *
 * Throws `gguf/truncated`, `gguf/malformed`, `gguf/limit`, `gguf/invalid`, and `gguf/unsupported`.
 */
export async function readGguf(source: ByteSource, limits: Limits = defaultLimits): Promise<TensorFile> {
  for (let length = firstRead; ; ) {
    const bytes = await source.read(0, Math.min(length, source.size));
    try {
      return parse(new Cursor(bytes, source.name, source.size, limits), source, limits);
    } catch (error) {
      if (!(error instanceof MoreNeeded)) throw error;
      length = Math.max(error.bytes, Math.min(length * 4, limits.ggufHeaderBytes));
    }
  }
}

function parse(cursor: Cursor, source: ByteSource, limits: Limits): TensorFile {
  if (cursor.left < 4 || cursor.uint32() !== magic)
    throw cursor.refuse("gguf/malformed", "it does not begin with GGUF");
  checkVersion(cursor);
  const tensorCount = cursor.count(leastTensor, "tensors");
  const pairCount = cursor.count(leastPair, "pairs of key and value");
  if (tensorCount > limits.tensors)
    throw cursor.refuse("gguf/limit", `${tensorCount} tensors, over the limit of ${limits.tensors}`);
  const metadata = new Map<string, MetadataValue>();
  for (let i = 0; i < pairCount; i++) {
    const key = cursor.text(longestKey, "a key");
    if (typeof key !== "string" || key === "") throw cursor.refuse("gguf/malformed", "a key is empty or no UTF-8");
    if (metadata.has(key)) throw cursor.refuse("gguf/invalid", `the key ${key} comes twice`);
    metadata.set(key, readValue(cursor, `the value of ${key}`, limits));
  }
  const alignment = alignmentOf(metadata, (what) => cursor.refuse("gguf/invalid", what));
  const infos = readInfos(cursor, tensorCount, alignment);
  const start = Math.ceil(cursor.at / alignment) * alignment;
  checkPlaces(infos, start, source.size, cursor);
  const tensors = infos.map(({ name, type, shape, offset, bytes }): StoredTensor => {
    return { name, type, shape, data: rangeOf(source, start + Number(offset), Number(bytes)) };
  });
  return { format: "gguf", metadata, tensors };
}

function checkVersion(cursor: Cursor): void {
  const version = cursor.uint32();
  if (version === 2 || version === 3) return;
  const what =
    version === 1
      ? "version 1 of GGUF, of August 2023: make it again with a newer llama.cpp"
      : version !== 0 && version % 2 ** 16 === 0
        ? "a big-endian file: gguf-py's gguf-convert-endian makes it little-endian"
        : `version ${version} of GGUF, where 2 and 3 are known`;
  throw cursor.refuse("gguf/unsupported", what);
}

/** Throws for one that is no uint32 power of two up to 65,536. */
export function alignmentOf(
  metadata: ReadonlyMap<string, MetadataValue>,
  refuse: (what: string) => LowbitError,
): number {
  const value = metadata.get(alignmentKey);
  if (value === undefined) return defaultAlignment;
  if (value.type !== "uint32") throw refuse(`${alignmentKey} is of type ${value.type}, not uint32`);
  const alignment = value.value;
  if (alignment < 1 || alignment > largestAlignment || (alignment & (alignment - 1)) !== 0)
    throw refuse(`${alignmentKey} is ${alignment}, no power of two up to ${largestAlignment}`);
  return alignment;
}

interface Info {
  readonly name: string;
  readonly type: StorageType;
  readonly shape: readonly number[];
  /** From the start of the data. */
  readonly offset: bigint;
  readonly bytes: bigint;
  /** Where the file speaks of it. */
  readonly byte: number;
}

function readInfos(cursor: Cursor, count: number, alignment: number): Info[] {
  const names = new Set<string>();
  return Array.from({ length: count }, () => {
    const byte = cursor.at;
    const name = cursor.text(longestName, "the name of a tensor");
    if (typeof name !== "string") throw cursor.refuse("gguf/malformed", "the name of a tensor is no UTF-8");
    if (names.has(name)) throw cursor.refuse("gguf/invalid", `two tensors are named ${name}`, { tensor: name });
    names.add(name);
    const info = readInfo(cursor, name, byte);
    if (info.offset % BigInt(alignment) !== 0n)
      throw cursor.refuse("gguf/invalid", `tensor ${name} is at ${info.offset}, no multiple of ${alignment}`, {
        tensor: name,
        byte,
      });
    return info;
  });
}

function readInfo(cursor: Cursor, name: string, byte: number): Info {
  const place = { tensor: name, byte };
  const dimensions = cursor.uint32();
  if (dimensions > mostDimensions)
    throw cursor.refuse(
      "gguf/invalid",
      `tensor ${name} has ${dimensions} dimensions; GGUF has at most ${mostDimensions}`,
      place,
    );
  const extents = Array.from({ length: dimensions }, () => cursor.uint64());
  const typeId = cursor.uint32();
  const offset = cursor.uint64();
  const type = storageOfGgmlType(typeId);
  if (type === undefined)
    throw cursor.refuse("gguf/unsupported", `tensor ${name} has the unknown type ${typeId}`, place);
  const elements = extents.reduce((product, extent) => product * extent, 1n);
  const shown = `[${extents.toReversed().join(", ")}]`;
  if (elements === 0n || elements > BigInt(Number.MAX_SAFE_INTEGER))
    throw cursor.refuse("gguf/invalid", `tensor ${name}, ${type.name} ${shown}, has ${elements} elements`, place);
  const row = extents[0] ?? 1n;
  if (row % BigInt(type.blockLength) !== 0n) {
    const what = `a row of tensor ${name}, ${type.name} ${shown}, is no multiple of its blocks of ${type.blockLength}`;
    throw cursor.refuse("gguf/invalid", what, place);
  }
  const bytes = (elements / BigInt(type.blockLength)) * BigInt(type.blockBytes);
  return { name, type, shape: extents.toReversed().map(Number), offset, bytes, byte };
}

/** Every tensor inside the file, and none in another. */
function checkPlaces(infos: readonly Info[], start: number, fileBytes: number, cursor: Cursor): void {
  const room = BigInt(fileBytes - start);
  let before: Info | undefined;
  for (const info of infos.toSorted((a, b) => (a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0))) {
    const { name, offset, bytes, byte } = info;
    const place = { tensor: name, byte };
    if (offset + bytes > room) {
      const what = `tensor ${name} is ${bytes} bytes at ${BigInt(start) + offset}; the file has ${fileBytes}`;
      throw cursor.refuse("gguf/truncated", what, place);
    }
    if (before !== undefined && before.offset + before.bytes > offset)
      throw cursor.refuse("gguf/invalid", `tensors ${before.name} and ${name} overlap`, place);
    before = info;
  }
}
