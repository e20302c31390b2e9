import { LowbitError } from "#base/errors";
import { pnmHeader } from "#data/images/imageSize";
import { type Pixels, pixels } from "#data/images/pixels";

/** Binary PGM and PPM with 8 bits a sample. Throws `data/malformed`. */
export function decodePnm(bytes: Uint8Array, name: string): Pixels {
  const header = pnmHeader(bytes);
  if (header === undefined || header.max !== 255)
    throw new LowbitError("data/malformed", `${name} is no PGM or PPM of 8 bits a sample`, {
      at: { file: name, byte: 0 },
    });
  const { width, height, channels, offset } = header;
  const end = offset + width * height * channels;
  if (end > bytes.length)
    throw new LowbitError("data/malformed", `${name} promises ${end} bytes and has ${bytes.length}`, {
      at: { file: name, byte: offset },
    });
  return pixels(width, height, channels, bytes.slice(offset, end));
}
