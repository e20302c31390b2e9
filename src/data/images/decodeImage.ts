/** The port through which image files become pixels: sharp in Node, the browser's own decoder there, ours for PNG and PPM. */
import { LowbitError } from "#base/errors";
import type { Limits } from "#base/limits";
import { imageSize } from "#data/images/imageSize";
import type { Pixels } from "#data/images/pixels";

/**
 * An image file as upright RGB (EXIF orientation applied, alpha dropped, first frame, colour profile ignored as training
 * pipelines do). Called only after `checkImage`. Throws `data/malformed`, `data/decoder`.
 */
export type DecodeImage = (bytes: Uint8Array, name: string, limits: Limits) => Promise<Pixels>;

/** What image files end with. */
export const imageNames = /\.(jpe?g|jpe|jfif|png|webp|gif|avif|heic|tiff?|p[pg]m)$/i;

/** Refuses files that are too large or promise too many pixels before a decoder allocates for them. */
export function checkImage(bytes: Uint8Array, name: string, limits: Limits): void {
  const at = { file: name };
  if (bytes.length > limits.imageBytes)
    throw new LowbitError(
      "limit/memory",
      `${name} has ${bytes.length} bytes, over the limit of ${limits.imageBytes} for one image`,
      {
        at,
        hint: "raise imageBytes if you trust the file",
      },
    );
  const size = imageSize(bytes);
  if (size === undefined) return;
  const { width, height } = size;
  if (width < 1 || height < 1)
    throw new LowbitError("data/malformed", `${name} is ${width} × ${height} pixels`, { at });
  if (width * height > limits.imagePixels)
    throw new LowbitError(
      "limit/memory",
      `${name} promises ${width} × ${height} pixels, over the limit of ${limits.imagePixels}`,
      {
        at,
        hint: "raise imagePixels if you trust the file",
      },
    );
}
