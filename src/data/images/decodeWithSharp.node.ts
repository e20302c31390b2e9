import type { Sharp, SharpOptions } from "sharp";
import { LowbitError } from "#base/errors";
import type { DecodeImage } from "#data/images/decodeImage";
import { decodePlain } from "#data/images/decodePlain";
import { imageFormat } from "#data/images/imageSize";
import { pixels } from "#data/images/pixels";

type OpenSharp = (input: Uint8Array, options: SharpOptions) => Sharp;

let loading: Promise<OpenSharp | undefined> | undefined;

/** sharp is optional: a bare install reads PNG and PPM without it. */
function loadSharp(): Promise<OpenSharp | undefined> {
  loading ??= import("sharp").then(
    (module) => module.default,
    () => undefined,
  );
  return loading;
}

/** sharp (libvips) where it is installed: JPEG, PNG, WebP, GIF, AVIF, TIFF. Without it PNG and PPM by `decodePlain`. */
export const decodeWithSharp: DecodeImage = async (bytes, name, limits) => {
  const format = imageFormat(bytes);
  if (format === "pnm") return decodePlain(bytes, name, limits);
  if (format === undefined || format === "bmp")
    throw new LowbitError(
      "data/malformed",
      `${name} is ${format === "bmp" ? "a BMP, which is not read" : "no image"}`,
      {
        at: { file: name, byte: 0 },
        hint: "convert it to PNG, or take it out of the folder",
      },
    );
  const sharp = await loadSharp();
  if (sharp === undefined) return decodePlain(bytes, name, limits);
  try {
    // 8-bit sRGB without alpha; a colour profile is ignored, as Pillow and OpenCV ignore it
    const { data, info } = await sharp(bytes, {
      failOn: "error",
      limitInputPixels: limits.imagePixels,
      autoOrient: true,
      ignoreIcc: true,
    })
      .toColourspace("srgb")
      .removeAlpha()
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const image = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return pixels(info.width, info.height, info.channels === 1 ? 1 : 3, image);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (/pixel limit/i.test(message))
      throw new LowbitError("limit/memory", `${name} has more than ${limits.imagePixels} pixels`, {
        at: { file: name },
        hint: "raise imagePixels if you trust the file",
        cause,
      });
    throw new LowbitError("data/malformed", `${name} cannot be decoded: ${message}`, {
      at: { file: name },
      hint: "the image is damaged: replace it, or leave it out of labels.json",
      cause,
    });
  }
};
