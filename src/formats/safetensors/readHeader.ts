/**
 * The header of a safetensors file: `{"name": {"dtype", "shape", "data_offsets"}, …, "__metadata__": {…}}`, from bytes that nobody
 * vouches for. Every rule of the format is held: each key once, data without holes and without overlap, to the last byte of the file.
 *
 * Source: huggingface/safetensors, README "Format"; tensor.rs, `Metadata::validate`.
 */
import type { ByteSource } from "#base/bytes";
import { type ErrorCode, LowbitError, type Place } from "#base/errors";
import { JsonReader } from "#base/jsonReader";
import { defaultLimits, type Limits } from "#base/limits";
import { explainOtherFile } from "#formats/otherFile";
import { dtypeNames, storageOfDtype } from "#formats/safetensors/dtypes";
import { rangeOf, type StorageType, type StoredTensor } from "#model/tensorFile";

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their data. */
  readonly tensors: readonly StoredTensor[];
}

/** The file begins with the length of its header, a 64-bit integer. */
export const lengthBytes = 8;

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
  /** Where the header speaks of it. */
  readonly byte: number;
}

type Refuse = (code: ErrorCode, what: string, at?: Place, hint?: string) => LowbitError;

/** Throws `safetensors/truncated`, `safetensors/malformed`, `safetensors/limit`, `safetensors/invalid`, `safetensors/unsupported`. */
export async function readHeader(source: ByteSource, limits: Limits = defaultLimits): Promise<SafetensorsHeader> {
  const file = source.name;
  const refuse: Refuse = (code, what, at = {}, hint) =>
    new LowbitError(code, `${file}: ${what}`, { at: { file, ...at }, ...(hint === undefined ? {} : { hint }) });
  if (source.size < lengthBytes)
    throw refuse(
      "safetensors/truncated",
      `${source.size} bytes; a safetensors file begins with 8 for its header's length`,
    );
  const start = await source.read(0, lengthBytes);
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > BigInt(limits.safetensorsHeaderBytes)) {
    const what = `a header of ${length} bytes, over the limit of ${limits.safetensorsHeaderBytes}`;
    // eight letters read as a number are large
    throw await explainOtherFile(refuse("safetensors/limit", what), source);
  }
  const dataStart = lengthBytes + Number(length);
  if (dataStart > source.size)
    throw refuse(
      "safetensors/truncated",
      `a header of ${length} bytes is promised; ${source.size - lengthBytes} follow`,
    );
  const bytes = await source.read(lengthBytes, Number(length));
  const { metadata, entries } = parseHeader(bytes, limits, refuse);
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  const tensors: StoredTensor[] = [];
  let next = 0;
  for (const entry of entries) {
    const { name, begin, end, shape } = entry;
    const at = { tensor: name, byte: dataStart + begin };
    if (begin !== next) {
      const what = begin < next ? "overlaps the tensor before it" : `leaves ${begin - next} bytes before it to nobody`;
      throw refuse("safetensors/invalid", `tensor ${name} at ${begin} … ${end} ${what}`, at);
    }
    const type = storageOfDtype(entry.dtype);
    if (type === undefined)
      throw refuse(
        "safetensors/unsupported",
        `tensor ${name} has the unknown dtype ${entry.dtype.slice(0, 40)}`,
        { tensor: name, byte: entry.byte },
        `known are ${dtypeNames.join(", ")}`,
      );
    const needed = exactBytes(type, shape);
    if (needed !== BigInt(end - begin)) {
      const needs = needed === undefined ? "does not end on a byte" : `needs ${needed} bytes`;
      const what = `tensor ${name}, ${entry.dtype} [${shape.join(", ")}], ${needs}; its data_offsets give ${end - begin}`;
      throw refuse("safetensors/invalid", what, at);
    }
    if (dataStart + end > source.size)
      throw refuse("safetensors/truncated", `tensor ${name} ends at byte ${dataStart + end} of ${source.size}`, at);
    tensors.push({ name, type, shape, data: rangeOf(source, dataStart + begin, end - begin) });
    next = end;
  }
  if (dataStart + next !== source.size) {
    const what = `${source.size - dataStart - next} bytes after the last tensor belong to nobody`;
    throw refuse("safetensors/invalid", what, { byte: dataStart + next });
  }
  return { metadata, tensors };
}

/** Undefined where the elements do not fill whole bytes. Exact, whatever the shape. */
function exactBytes({ blockLength, blockBytes }: StorageType, shape: readonly number[]): bigint | undefined {
  const count = shape.reduce((product, dim) => product * BigInt(dim), 1n);
  const bits = count * BigInt((blockBytes * 8) / blockLength);
  return bits % 8n === 0n ? bits / 8n : undefined;
}

function parseHeader(
  bytes: Uint8Array,
  limits: Limits,
  refuse: Refuse,
): { readonly metadata: ReadonlyMap<string, string>; readonly entries: Entry[] } {
  const reader = new JsonReader(bytes, (at, what) =>
    refuse("safetensors/malformed", `in the header, ${what}`, { byte: lengthBytes + at }),
  );
  let metadata: ReadonlyMap<string, string> = new Map();
  const entries: Entry[] = [];
  reader.object((name) => {
    if (name === "__metadata__") {
      metadata = readTexts(reader);
      return;
    }
    if (entries.length === limits.tensors)
      throw refuse("safetensors/limit", `more than ${limits.tensors} tensors`, { byte: lengthBytes + reader.at });
    entries.push(readEntry(reader, name, limits, refuse));
  });
  reader.end();
  return { metadata, entries };
}

function readTexts(reader: JsonReader): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  reader.object((key) => texts.set(key, reader.string()));
  return texts;
}

function readEntry(reader: JsonReader, name: string, limits: Limits, refuse: Refuse): Entry {
  const at: Place = { tensor: name, byte: lengthBytes + reader.at };
  let dtype: string | undefined;
  let shape: readonly number[] | undefined;
  let offsets: readonly number[] | undefined;
  reader.object((key) => {
    if (key === "dtype") dtype = reader.string();
    else if (key === "shape") shape = readIntegers(reader, limits.tensorRank, name, refuse);
    else if (key === "data_offsets") offsets = readIntegers(reader, limits.tensorRank, name, refuse);
    else throw refuse("safetensors/malformed", `tensor ${name} has the unknown field ${key.slice(0, 80)}`, at);
  });
  if (dtype === undefined || shape === undefined || offsets === undefined || offsets.length !== 2)
    throw refuse("safetensors/malformed", `tensor ${name} lacks its dtype, its shape or its two data_offsets`, at);
  const [begin, end] = offsets;
  if (begin > end)
    throw refuse("safetensors/invalid", `tensor ${name} ends at ${end}, before it begins at ${begin}`, at);
  return { name, dtype, shape, begin, end, byte: at.byte as number };
}

function readIntegers(reader: JsonReader, most: number, name: string, refuse: Refuse): number[] {
  const integers: number[] = [];
  reader.array(() => {
    if (integers.length === most)
      throw refuse("safetensors/limit", `tensor ${name} has more than ${most} dimensions`, {
        tensor: name,
        byte: lengthBytes + reader.at,
      });
    integers.push(reader.integer());
  });
  return integers;
}
