/**
 * PNG without any dependency: every colour type and bit depth, interlaced or not. Alpha is dropped, 16-bit samples keep their high
 * byte, colour and gamma chunks are ignored, as image pipelines for training do. Specification: W3C PNG (Third Edition).
 */
import { concatBytes } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { crc32 } from "#math/crc32";
import { type Pixels, pixels } from "#data/images/pixels";
import { inflate } from "#data/inflate";

interface Header {
  readonly width: number;
  readonly height: number;
  /** Bits of one sample. */
  readonly depth: number;
  readonly color: number;
  readonly interlaced: boolean;
}

/** Samples of one pixel, and the depths allowed, by colour type: gray, RGB, palette, gray + alpha, RGBA. */
const colorTypes: Readonly<Record<number, { readonly samples: number; readonly depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};

/** Adam7: first column, first row, column step, row step of each pass. */
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Decodes a PNG whose size was checked (`checkImage`). Throws `data/malformed` with the byte. */
export async function decodePng(bytes: Uint8Array, name: string): Promise<Pixels> {
  const fail = (what: string, byte = 0): LowbitError =>
    new LowbitError("data/malformed", `${name}: ${what}`, { at: { file: name, byte }, hint: "the image is damaged" });
  const { header, palette, packed } = readChunks(bytes, fail);
  const { width, height, depth, color, interlaced } = header;
  const bitsPerPixel = colorTypes[color].samples * depth;
  const rowBytes = (columns: number): number => Math.ceil((columns * bitsPerPixel) / 8);
  const passes = (interlaced ? adam7 : [[0, 0, 1, 1] as const])
    .map(([x, y, dx, dy]) => ({
      x,
      y,
      dx,
      dy,
      columns: Math.ceil((width - x) / dx),
      rows: Math.ceil((height - y) / dy),
    }))
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
  const size = passes.reduce((sum, { columns, rows }) => sum + rows * (1 + rowBytes(columns)), 0);
  const raw = await inflate("deflate", packed, size, { file: name });
  if (raw.length !== size) throw fail(`${raw.length} of ${size} bytes of pixels are there`);

  const gray = color === 0 || color === 4;
  const channels = gray ? 1 : 3;
  const out = new Uint8Array(width * height * channels);
  let at = 0;
  for (const { x, y, dx, dy, columns, rows } of passes) {
    const length = rowBytes(columns);
    let above: Uint8Array = new Uint8Array(length);
    for (let row = 0; row < rows; row++, at += 1 + length) {
      const line = raw.subarray(at + 1, at + 1 + length);
      if (raw[at] > 4) throw fail(`filter ${raw[at]} is unknown`);
      unfilter(raw[at], line, above, Math.max(bitsPerPixel >> 3, 1));
      above = line;
      let to = ((y + row * dy) * width + x) * channels;
      for (let column = 0; column < columns; column++, to += dx * channels)
        writePixel(out, to, line, column, header, palette, fail);
    }
  }
  return pixels(width, height, channels, out);
}

type Fail = (what: string, byte?: number) => LowbitError;

function readChunks(bytes: Uint8Array, fail: Fail): { header: Header; palette: Uint8Array; packed: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packed: Uint8Array[] = [];
  let header: Header | undefined;
  let palette: Uint8Array = new Uint8Array(0);
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) throw fail("it ends before its end chunk", at);
    const length = view.getUint32(at);
    if (at + 12 + length > bytes.length)
      throw fail(`a chunk promises ${length} bytes; ${bytes.length - at - 12} are left`, at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length))
      throw fail(`chunk ${type} is damaged: its CRC-32 differs`, at);
    // the first chunk and no other: the size that was checked is the size that is decoded
    if ((type === "IHDR") !== (header === undefined)) throw fail("IHDR is the first chunk, once", at);
    if (header === undefined) header = readHeader(data, fail);
    else if (type === "PLTE") palette = data.slice();
    else if (type === "IDAT") packed.push(data);
    else if (type === "IEND") return { header, palette, packed: concatBytes(packed) };
    at += 12 + length;
  }
}

function readHeader(data: Uint8Array, fail: Fail): Header {
  if (data.length !== 13) throw fail(`IHDR has ${data.length} bytes, not 13`, 8);
  const view = new DataView(data.buffer, data.byteOffset, 13);
  const header = {
    width: view.getUint32(0),
    height: view.getUint32(4),
    depth: data[8],
    color: data[9],
    interlaced: data[12] === 1,
  };
  const known =
    colorTypes[header.color]?.depths.includes(header.depth) && data[10] === 0 && data[11] === 0 && data[12] <= 1;
  if (!known) throw fail(`colour type ${header.color} with ${header.depth} bits is none of PNG's`, 8);
  return header;
}

/** Undoes the filter of a line in place; `step` is the distance in bytes to the pixel on the left (§9.2). */
function unfilter(filter: number, line: Uint8Array, above: Uint8Array, step: number): void {
  for (let i = 0; i < line.length; i++) {
    const left = i < step ? 0 : line[i - step];
    const up = above[i];
    if (filter === 1) line[i] += left;
    else if (filter === 2) line[i] += up;
    else if (filter === 3) line[i] += (left + up) >> 1;
    else if (filter === 4) line[i] += paeth(left, up, i < step ? 0 : above[i - step]);
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const toLeft = Math.abs(guess - left);
  const toUp = Math.abs(guess - up);
  const toCorner = Math.abs(guess - corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function writePixel(
  out: Uint8Array,
  to: number,
  line: Uint8Array,
  column: number,
  { depth, color }: Header,
  palette: Uint8Array,
  fail: Fail,
): void {
  if (depth < 8) {
    const bit = column * depth;
    const top = (1 << depth) - 1;
    const value = (line[bit >> 3] >> (8 - depth - (bit & 7))) & top;
    if (color === 0) out[to] = (value * 255) / top;
    else lookUp(out, to, value, palette, fail);
    return;
  }
  const bytes = depth >> 3;
  const at = column * colorTypes[color].samples * bytes;
  if (color === 3) lookUp(out, to, line[at], palette, fail);
  else if (color === 0 || color === 4) out[to] = line[at];
  else for (let c = 0; c < 3; c++) out[to + c] = line[at + c * bytes];
}

function lookUp(out: Uint8Array, to: number, index: number, palette: Uint8Array, fail: Fail): void {
  if (index * 3 + 3 > palette.length)
    throw fail(`colour ${index} is not in the palette of ${Math.trunc(palette.length / 3)}`);
  for (let c = 0; c < 3; c++) out[to + c] = palette[index * 3 + c];
}
