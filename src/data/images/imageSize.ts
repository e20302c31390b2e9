import type { Size } from "#data/preprocess/preprocess";

/** Formats by their first bytes; AVIF, HEIC and TIFF keep their size deeper in the file, and their decoder checks it. */
export type ImageFormat = "png" | "jpeg" | "gif" | "webp" | "pnm" | "heif" | "tiff" | "bmp";

const text = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));

/** The format of an image file, or undefined for anything else. */
export function imageFormat(bytes: Uint8Array): ImageFormat | undefined {
  const start = text(bytes, 0, 4);
  if (start === "\x89PNG") return "png";
  if (start.startsWith("\xff\xd8\xff")) return "jpeg";
  if (start === "GIF8") return "gif";
  if (start === "RIFF" && text(bytes, 8, 12) === "WEBP") return "webp";
  if (/^P[56][\s#]/.test(start)) return "pnm";
  if (text(bytes, 4, 8) === "ftyp") return "heif";
  if (start === "II*\0" || start === "MM\0*") return "tiff";
  return start.startsWith("BM") ? "bmp" : undefined;
}

/** The size an image file promises, read from its header without decoding; undefined where the header is not one we read. */
export function imageSize(bytes: Uint8Array): Size | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (imageFormat(bytes)) {
    case "png":
      return text(bytes, 12, 16) !== "IHDR" || bytes.length < 24
        ? undefined
        : { width: view.getUint32(16), height: view.getUint32(20) };
    case "gif":
      return bytes.length < 10 ? undefined : { width: view.getUint16(6, true), height: view.getUint16(8, true) };
    case "jpeg":
      return jpegSize(view);
    case "webp":
      return webpSize(view);
    case "pnm":
      return pnmHeader(bytes);
    default:
      return undefined;
  }
}

/** Walks the segments to the first start of frame (ITU T.81 §B.2.2). */
function jpegSize(view: DataView): Size | undefined {
  let at = 2;
  while (at + 9 <= view.byteLength) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += marker === 0xff ? 1 : 2; // fill byte, or a marker without a segment
      continue;
    }
    // SOF0 … SOF15, but for DHT (C4), JPG (C8) and DAC (CC)
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

/** Three kinds of first chunk: lossy "VP8 ", lossless "VP8L", extended "VP8X" (WebP container specification). */
function webpSize(view: DataView): Size | undefined {
  if (view.byteLength < 30) return undefined;
  switch (view.getUint32(12)) {
    case 0x56503820:
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    case 0x5650384c: {
      const packed = view.getUint32(21, true);
      return { width: (packed & 0x3fff) + 1, height: ((packed >>> 14) & 0x3fff) + 1 };
    }
    case 0x56503858: {
      const uint24 = (at: number): number => view.getUint16(at, true) + view.getUint8(at + 2) * 65_536;
      return { width: uint24(24) + 1, height: uint24(27) + 1 };
    }
    default:
      return undefined;
  }
}

export interface PnmHeader extends Size {
  readonly channels: 1 | 3;
  readonly max: number;
  /** Byte of the first pixel. */
  readonly offset: number;
}

/** Binary PGM ("P5") and PPM ("P6"): width, height and the largest value as decimal numbers, with "#" comments between. */
export function pnmHeader(bytes: Uint8Array): PnmHeader | undefined {
  const header = /^P([56])\s(?:\s|#[^\n]*\n)*(\d{1,9})\s(?:\s|#[^\n]*\n)*(\d{1,9})\s(?:\s|#[^\n]*\n)*(\d{1,5})\s/.exec(
    text(bytes, 0, 512),
  );
  if (header === null) return undefined;
  const [width, height, max] = header.slice(2).map(Number);
  return { width, height, max, channels: header[1] === "6" ? 3 : 1, offset: header[0].length };
}
