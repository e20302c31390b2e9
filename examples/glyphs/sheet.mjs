// A contact sheet: one column a digit, as a small PNG (16 grey levels, each pixel doubled).
import { crc32, deflateSync } from "node:zlib";

/**
 * @param {{ images: Uint8Array, labels: Uint8Array }} glyphs  what renderGlyphs returned
 * @param {{ size: number, columns?: number, gap?: number, zoom?: number }} options  all in pixels of an image
 * @returns {Uint8Array} the bytes of a PNG file
 */
export function contactSheet({ images, labels }, { size, columns = 10, gap = 2, zoom = 2 }) {
  const rows = labels.length / columns;
  const cell = size + gap;
  const width = (columns * cell + gap) * zoom;
  const height = (rows * cell + gap) * zoom;
  const grey = new Uint8Array(width * height).fill(255);
  labels.forEach((label, i) => {
    const left = label * cell + gap;
    const top = Math.floor(i / columns) * cell + gap;
    for (let y = 0; y < size * zoom; y++) {
      for (let x = 0; x < size * zoom; x++) {
        const pixel = images[(i * size + Math.floor(y / zoom)) * size + Math.floor(x / zoom)];
        grey[(top * zoom + y) * width + left * zoom + x] = pixel;
      }
    }
  });
  return encodePng(grey, width, height);
}

/** Greyscale PNG of 4 bits a pixel, no row filter. @param {Uint8Array} grey @param {number} width even @param {number} height */
function encodePng(grey, width, height) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 4; // bits a pixel; then colour type 0 (grey), deflate, no filter, not interlaced
  const rowBytes = 1 + width / 2;
  const rows = Buffer.alloc(height * rowBytes);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x += 2) {
      const at = y * width + x;
      rows[y * rowBytes + 1 + x / 2] = (toNibble(grey[at]) << 4) | toNibble(grey[at + 1]);
    }
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** @param {number} grey */
const toNibble = (grey) => Math.floor((grey * 15) / 255 + 0.5);

/** @param {string} name @param {Buffer} body */
function chunk(name, body) {
  const out = Buffer.alloc(body.length + 12);
  out.writeUInt32BE(body.length, 0);
  out.write(name, 4, "latin1");
  body.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length);
  return out;
}
