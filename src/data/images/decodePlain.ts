import { LowbitError } from "#base/errors";
import type { DecodeImage } from "#data/images/decodeImage";
import { decodePng } from "#data/images/decodePng";
import { decodePnm } from "#data/images/decodePnm";
import { imageFormat } from "#data/images/imageSize";

/** What can be decoded without any dependency: PNG, and binary PGM and PPM. Throws `data/decoder` for other formats. */
export const decodePlain: DecodeImage = async (bytes, name) => {
  const format = imageFormat(bytes);
  if (format === "png") return decodePng(bytes, name);
  if (format === "pnm") return decodePnm(bytes, name);
  throw new LowbitError(
    "data/decoder",
    `${name} is ${format === undefined ? "no image" : format.toUpperCase()}; PNG and PPM can be read as they are`,
    {
      at: { file: name },
      hint: "for the other formats: npm install sharp",
    },
  );
};
