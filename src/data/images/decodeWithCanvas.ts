import { LowbitError } from "#base/errors";
import type { DecodeImage } from "#data/images/decodeImage";
import { decodePlain } from "#data/images/decodePlain";
import { imageFormat } from "#data/images/imageSize";
import { pixels } from "#data/images/pixels";

/**
 * The browser's own decoder. PNG goes through ours, because a canvas loses what lies under alpha. A file whose header we do not read
 * is measured after decoding only: browsers bound that themselves.
 */
export const decodeWithCanvas: DecodeImage = async (bytes, name, limits) => {
  const format = imageFormat(bytes);
  if (format === "png" || format === "pnm") return decodePlain(bytes, name, limits);
  const at = { file: name };
  const bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), {
    imageOrientation: "from-image",
    premultiplyAlpha: "none",
    colorSpaceConversion: "none",
  }).catch((cause: unknown) => {
    throw new LowbitError(
      "data/malformed",
      `${name} cannot be decoded: it is damaged, or no image this browser knows`,
      { at, cause },
    );
  });
  try {
    const { width, height } = bitmap;
    if (width * height > limits.imagePixels)
      throw new LowbitError(
        "limit/memory",
        `${name} has ${width} × ${height} pixels, over the limit of ${limits.imagePixels}`,
        { at },
      );
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    if (context === null)
      throw new LowbitError("data/decoder", "this browser gives no 2D canvas to decode images with", { at });
    context.drawImage(bitmap, 0, 0);
    const rgba = context.getImageData(0, 0, width, height).data;
    const rgb = new Uint8Array(width * height * 3);
    for (let from = 0, to = 0; to < rgb.length; from += 4) {
      rgb[to++] = rgba[from];
      rgb[to++] = rgba[from + 1];
      rgb[to++] = rgba[from + 2];
    }
    return pixels(width, height, 3, rgb);
  } finally {
    bitmap.close();
  }
};
