/**
 * `.lbz`: model files without their redundancy, and byte for byte the same when unpacked. It knows nothing of models: a file is a
 * row of segments (a tensor's data, or what stands between), each of which is compressed as what its bytes look like.
 *
 *   "LBZ1"  header length (varint)  header (JSON: files: name, bytes, segments [length, width, planes])
 *   for each segment of each file its chunks: runs of symbols (see chunk, symbols), behind their length (varint)
 *   CRC-32 of all unpacked bytes, 4 bytes, lowest first
 *
 * Both directions stream: memory is a chunk or two, whatever the files' size.
 */
import type { ByteSink, ByteSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { defaultLimits } from "#base/limits";
import { bestLayout, chunkBytes, decodeChunk, encodeChunk, type Layout } from "#formats/lbz/chunk";
import { Cursor, varint } from "#formats/lbz/cursor";
import type { Coder } from "#formats/lbz/symbols";
import { crc32 } from "#math/crc32";

const magic = [0x4c, 0x42, 0x5a, 0x31];
/** A model of 100,000 tensors has a header of some 4 MB. */
const mostHeaderBytes = 64 * 2 ** 20;

/** Where a tensor's data lies in its file. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

export interface FileToPack {
  /** As it will be called when it is unpacked, relative to where that is: "weights/layer1.bin". */
  readonly name: string;
  readonly source: ByteSource;
  /** Stretches of one kind of number: the file's tensors, in any order. What lies between is packed as bytes. */
  readonly segments: readonly Segment[];
}

export interface PackOptions {
  /** What may compress. Default: whatever is shortest, run by run. */
  readonly coders?: readonly Coder[];
  readonly onProgress?: (done: number, total: number) => void;
}

interface PackedFile {
  readonly name: string;
  readonly bytes: number;
  readonly segments: readonly (readonly [length: number, width: number, planes: number])[];
}

/** Writes the packed form of files; returns its size. */
export async function pack(files: readonly FileToPack[], sink: ByteSink, options: PackOptions = {}): Promise<number> {
  const plans = await Promise.all(files.map(planned));
  const header = plans.map(({ name, source, pieces }): PackedFile => {
    const segments = pieces.map(({ length, layout }) => [length, layout.width, layout.planes] as const);
    return { name, bytes: source.size, segments };
  });
  const text = new TextEncoder().encode(JSON.stringify({ files: header }));
  const total = header.reduce((sum, { bytes }) => sum + bytes, 0);
  let size = 0;
  const write = async (...parts: readonly ArrayLike<number>[]): Promise<void> => {
    for (const part of parts) {
      const bytes = part instanceof Uint8Array ? part : Uint8Array.from(part);
      await sink.write(bytes);
      size += bytes.length;
    }
  };
  await write(magic, varint(text.length), text);
  let crc = 0;
  let done = 0;
  for (const { source, pieces } of plans) {
    for (const { offset, length, layout } of pieces) {
      for (let at = 0; at < length; at += chunkBytes) {
        const bytes = await source.read(offset + at, Math.min(chunkBytes, length - at));
        const runs = encodeChunk(bytes, layout, options.coders);
        await write(varint(runs.reduce((sum, run) => sum + run.length, 0)), ...runs);
        crc = crc32(bytes, crc);
        done += bytes.length;
        options.onProgress?.(done, total);
      }
    }
  }
  await write([0, 8, 16, 24].map((shift) => (crc >>> shift) & 255));
  return size;
}

type Planned = FileToPack & { readonly pieces: readonly (Segment & { readonly layout: Layout })[] };

async function planned(file: FileToPack): Promise<Planned> {
  const pieces = [];
  for (const piece of wholeFile(file.source.size, file.segments)) {
    const layout = bestLayout(await file.source.read(piece.offset, Math.min(piece.length, chunkBytes)));
    pieces.push({ ...piece, layout });
  }
  return { ...file, pieces };
}

/** Names and sizes of the files in a packed one. Throws lbz/malformed for other files. */
export async function listPacked(source: ByteSource): Promise<readonly Pick<PackedFile, "name" | "bytes">[]> {
  return (await openPacked(source)).files.map(({ name, bytes }) => ({ name, bytes }));
}

/**
 * Writes the files that were packed, byte for byte, one after another, each into the sink that `open` gives for its name. Throws
 * lbz/malformed, at the latest when the checksum differs: keep nothing before it has returned.
 */
export async function unpack(
  source: ByteSource,
  open: (name: string) => Promise<ByteSink>,
  { onProgress }: Pick<PackOptions, "onProgress"> = {},
): Promise<void> {
  const { files, start } = await openPacked(source);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let at = start;
  let crc = 0;
  let done = 0;
  for (const { name, segments } of files) {
    const sink = await open(name);
    for (const [length, width, planes] of segments) {
      for (let unpacked = 0; unpacked < length; unpacked += chunkBytes) {
        const size = Math.min(chunkBytes, length - unpacked);
        const head = await cursorAt(source, at, 10);
        const packed = head.varint();
        at += varint(packed).length;
        // no chunk is longer than its bytes and the heads of its runs
        if (packed > size + 1024) throw head.malformed("a chunk is longer than what it holds");
        const cursor = await cursorAt(source, at, packed, true);
        const bytes = decodeChunk(cursor, { width, planes }, size);
        if (cursor.rest().length > 0) throw cursor.malformed("a chunk holds more than it should");
        at += packed;
        crc = crc32(bytes, crc);
        await sink.write(bytes);
        done += size;
        onProgress?.(done, total);
      }
    }
  }
  const tail = await cursorAt(source, at, 5);
  const stated = [0, 8, 16, 24].reduce((sum, shift) => sum + tail.byte() * 2 ** shift, 0);
  if (stated !== crc) throw tail.malformed("the checksum is not that of the unpacked bytes");
  if (at + 4 !== source.size) throw tail.malformed("there is more after the end");
}

async function openPacked(
  source: ByteSource,
): Promise<{ readonly files: readonly PackedFile[]; readonly start: number }> {
  const head = await cursorAt(source, 0, 14);
  if (!magic.every((byte) => head.byte() === byte)) throw head.malformed("it does not begin with LBZ1");
  const length = head.varint();
  if (length > mostHeaderBytes) throw head.malformed("its header is longer than any model's");
  const from = 4 + varint(length).length;
  const files = filesOf(await cursorAt(source, from, length, true));
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const most = Math.max(defaultLimits.unpackedBytes, defaultLimits.lbzRatio * source.size);
  if (bytes > most)
    throw head.malformed(`it would unpack to ${bytes} bytes, more than ${defaultLimits.lbzRatio} times its size`);
  return { files, start: from + length };
}

function filesOf(cursor: Cursor): readonly PackedFile[] {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(cursor.rest()));
  } catch (cause) {
    throw cursor.malformed(`its header is no JSON: ${String(cause)}`);
  }
  const files = (value as { files?: unknown } | null)?.files;
  if (!Array.isArray(files) || files.length === 0 || !files.every(isPackedFile))
    throw cursor.malformed("its header does not describe files");
  if (new Set(files.map(({ name }) => name)).size < files.length) throw cursor.malformed("two files have one name");
  return files;
}

function isPackedFile(value: unknown): value is PackedFile {
  const { name, bytes, segments } = (value ?? {}) as Partial<Record<keyof PackedFile, unknown>>;
  if (typeof name !== "string" || !isInside(name) || !Array.isArray(segments)) return false;
  return segments.every(isSegment) && segments.reduce((sum: number, [length]) => sum + length, 0) === bytes;
}

function isSegment(row: unknown): row is PackedFile["segments"][number] {
  if (!Array.isArray(row) || row.length !== 3) return false;
  const [length, width, planes] = row as unknown[];
  if (!Number.isSafeInteger(length) || (length as number) < 0) return false;
  if (planes === 1) return Number.isInteger(width) && (width as number) >= 1 && (width as number) <= 8;
  return width === 8 && (planes === 2 || planes === 4);
}

/** Whether a name stays below the folder that files are unpacked into, on every system. */
function isInside(name: string): boolean {
  return (
    name.length < 4096 &&
    name.split("/").every((part) => /^[^\\:*?"<>|]+$/.test(part) && !/^\.+$/.test(part) && !hasControls(part))
  );
}

function hasControls(part: string): boolean {
  return Array.from(part).some((character) => character < " ");
}

/** A cursor over `length` bytes, or, where they need not all be there, as many as there are. */
async function cursorAt(source: ByteSource, offset: number, length: number, all = false): Promise<Cursor> {
  const there = Math.max(0, Math.min(length, source.size - offset));
  if (all && there < length)
    throw new LowbitError("lbz/malformed", `${source.name} ends in the middle of a chunk`, {
      at: { file: source.name, byte: source.size },
    });
  return new Cursor(await source.read(Math.min(offset, source.size), there), { file: source.name, byte: offset });
}

/** The segments in order, and one for each stretch that none covers. Those that overlap or lie outside are left out. */
function wholeFile(size: number, segments: readonly Segment[]): Segment[] {
  const pieces: Segment[] = [];
  let at = 0;
  const reach = (offset: number): void => {
    if (offset > at) pieces.push({ offset: at, length: offset - at });
    at = Math.max(at, offset);
  };
  for (const { offset, length } of [...segments].sort((a, b) => a.offset - b.offset)) {
    if (length === 0 || offset < at || offset + length > size) continue;
    reach(offset);
    pieces.push({ offset, length });
    at = offset + length;
  }
  reach(size);
  return pieces;
}
