/**
 * Reading zip archives from strangers (an npz is a zip of npy files). The central directory is the truth; the local headers must
 * agree with it, members may not overlap, and a member unpacks to the size it promised or not at all.
 * Format: PKWARE APPNOTE 6.3, §4.3; zip64 §4.5.3.
 */
import type { ByteSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import type { Limits } from "#base/limits";
import { crc32 } from "#math/crc32";
import { inflate } from "#data/inflate";

export interface ZipMember {
  readonly name: string;
  /** Bytes when unpacked. */
  readonly size: number;
  /** The unpacked bytes, checked against size and CRC-32. */
  read(): Promise<Uint8Array>;
}

/** What the central directory says of a member. */
interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Of the local header. */
  readonly offset: number;
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

type Fail = (what: string, byte?: number) => LowbitError;

/** The members by name. Throws `npz/malformed`, and `npz/limit` for too many members or impossible ratios. */
export async function openZip(source: ByteSource, limits: Limits): Promise<ReadonlyMap<string, ZipMember>> {
  const fail: Fail = (what, byte) =>
    new LowbitError("npz/malformed", `${source.name}: ${what}`, {
      at: byte === undefined ? { file: source.name } : { file: source.name, byte },
      hint: "the file may be incomplete or no zip archive; write it again with numpy.savez",
    });
  const tooMuch = (what: string): LowbitError =>
    new LowbitError("npz/limit", `${source.name}: ${what}`, { at: { file: source.name } });

  const directory = await findDirectory(source, fail);
  if (directory.count > limits.npzMembers)
    throw tooMuch(`${directory.count} members are over the limit of ${limits.npzMembers}`);
  const entries = readEntries(await source.read(directory.offset, directory.size), directory, fail);
  const members = new Map<string, ZipMember>();
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    const { name, packed, size, offset } = entry;
    if (size > packed * limits.npzRatio)
      throw tooMuch(`${name} promises ${size} bytes from ${packed}, over the limit of ${limits.npzRatio} to 1`);
    if (offset < end) throw fail(`${name} overlaps the member before it`, offset);
    const start = await dataStart(source, entry, fail);
    end = start + packed;
    if (end > directory.offset) throw fail(`${name} reaches into the directory`, offset);
    members.set(name, { name, size, read: () => readMember(source, entry, start, limits, fail) });
  }
  return members;
}

/** The end record is the last thing in the file, except for a comment of up to 65,535 bytes. */
async function findDirectory(source: ByteSource, fail: Fail): Promise<Directory> {
  const length = Math.min(source.size, 22 + 0xffff);
  const base = source.size - length;
  const view = viewOf(await source.read(base, length));
  let at = length - 22;
  while (at >= 0 && !(view.getUint32(at, true) === 0x06054b50 && view.getUint16(at + 20, true) === length - at - 22))
    at--;
  if (at < 0) throw fail("there is no end of a zip archive");
  if (view.getUint16(at + 4, true) !== 0) throw fail("archives in several parts cannot be read", base + at);
  let directory: Directory = {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
  let end = base + at;
  if (at >= 20 && view.getUint32(at - 20, true) === 0x07064b50) {
    end = uint64(view, at - 12);
    if (!(end + 56 <= base + at - 20)) throw fail("the zip64 end record lies outside the file", base + at - 20);
    const wide = viewOf(await source.read(end, 56));
    if (wide.getUint32(0, true) !== 0x06064b50) throw fail("the zip64 end record is missing", end);
    directory = { count: uint64(wide, 32), size: uint64(wide, 40), offset: uint64(wide, 48) };
  }
  if (!(directory.offset + directory.size <= end && directory.count * 46 <= directory.size))
    throw fail(`a directory of ${directory.count} members at ${directory.offset} does not fit the file`, end);
  return directory;
}

function readEntries(bytes: Uint8Array, directory: Directory, fail: Fail): Entry[] {
  const view = viewOf(bytes);
  const entries: Entry[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let i = 0; i < directory.count; i++) {
    const byte = directory.offset + at;
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50)
      throw fail(`entry ${i} of the directory is broken`, byte);
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > bytes.length) throw fail(`entry ${i} of the directory is cut off`, byte);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, nameEnd));
    if (name === "" || /^\/|[\0\\]|^[A-Za-z]:/.test(name) || name.split("/").includes(".."))
      throw fail(`member name ${JSON.stringify(name)} leads out of the archive`, byte);
    if (names.has(name)) throw fail(`there are two members ${name}`, byte);
    if (view.getUint16(at + 8, true) & 1) throw fail(`${name} is encrypted`, byte);
    names.add(name);
    const wide = zip64Fields(viewOf(bytes.subarray(nameEnd, extraEnd)));
    /** A field of 32 ones has its value in the zip64 extra, in this order: size, packed, offset. */
    const field = (position: number): number => {
      const value = view.getUint32(position, true);
      return value === 0xffffffff ? (wide.shift() ?? Number.NaN) : value;
    };
    const size = field(at + 24);
    const packed = field(at + 20);
    const offset = field(at + 42);
    if (!(size + packed + offset <= Number.MAX_SAFE_INTEGER)) throw fail(`${name} has impossible sizes`, byte);
    entries.push({
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed,
      size,
      offset,
    });
    at = next;
  }
  return entries;
}

/** Where the bytes of a member start: behind its local header, which must tell the same story as the directory. */
async function dataStart(source: ByteSource, entry: Entry, fail: Fail): Promise<number> {
  const { name, offset } = entry;
  if (offset + 30 > source.size) throw fail(`${name} starts beyond the end of the file`, offset);
  const view = viewOf(await source.read(offset, 30));
  const nameLength = view.getUint16(26, true);
  const start = offset + 30 + nameLength + view.getUint16(28, true);
  if (view.getUint32(0, true) !== 0x04034b50 || start + entry.packed > source.size)
    throw fail(`${name} has no local header where the directory says`, offset);
  const rest = await source.read(offset + 30, start - offset - 30);
  const localName = new TextDecoder().decode(rest.subarray(0, nameLength));
  const streamed = (view.getUint16(6, true) & 8) !== 0; // sizes follow the data
  const wide = zip64Fields(viewOf(rest.subarray(nameLength)));
  const agrees = (position: number, value: number): boolean => {
    const local = view.getUint32(position, true);
    return (local === 0xffffffff ? wide.shift() : local) === value;
  };
  const same =
    localName === name &&
    view.getUint16(8, true) === entry.method &&
    (streamed || (view.getUint32(14, true) === entry.crc && agrees(22, entry.size) && agrees(18, entry.packed)));
  if (!same) throw fail(`the local header of ${name} contradicts the directory`, offset);
  return start;
}

async function readMember(
  source: ByteSource,
  entry: Entry,
  start: number,
  limits: Limits,
  fail: Fail,
): Promise<Uint8Array> {
  const { name, method, packed, size } = entry;
  if (size > limits.unpackedBytes)
    throw new LowbitError("npz/limit", `${source.name}: ${name} has ${size} bytes, over ${limits.unpackedBytes}`, {
      at: { file: source.name, tensor: name },
      hint: "save it as .npy, which is read row by row, or raise unpackedBytes",
    });
  if (method !== 0 && method !== 8)
    throw fail(`${name} is packed by method ${method}; only stored and deflated can be read`, start);
  const at = { file: `${source.name}/${name}`, byte: start };
  const raw = await source.read(start, packed);
  const bytes = method === 0 ? raw : await inflate("deflate-raw", raw, size, at);
  if (bytes.length !== size) throw fail(`${name} unpacks to ${bytes.length} bytes, not ${size}`, start);
  if (crc32(bytes) !== entry.crc) throw fail(`${name} is damaged: its CRC-32 differs`, start);
  return bytes;
}

/** The 64-bit values of the zip64 extra field, in order; empty where there is none. */
function zip64Fields(extra: DataView): number[] {
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    const end = at + 4 + extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) !== 1 || end > extra.byteLength) continue;
    const values: number[] = [];
    for (let field = at + 4; field + 8 <= end; field += 8) values.push(uint64(extra, field));
    return values;
  }
  return [];
}

function uint64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
