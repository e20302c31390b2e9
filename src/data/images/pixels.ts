/** Decoded images: 8-bit, rows top to bottom, channels interleaved. All preprocessing is done on these, in every environment. */
import { LowbitError } from "#base/errors";

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 1: luma. 3: red, green, blue. */
  readonly channels: 1 | 3;
  /** `height · width · channels` bytes. */
  readonly data: Uint8Array;
}

/** Pixels, checked: → `data.length = height · width · channels`. */
export function pixels(width: number, height: number, channels: 1 | 3, data: Uint8Array): Pixels {
  if (data.length !== width * height * channels)
    throw new LowbitError(
      "data/malformed",
      `${width} × ${height} pixels of ${channels} channels need ${width * height * channels} bytes, not ${data.length}`,
    );
  return { width, height, channels, data };
}

/** A rectangle of an image, in its pixels. It may reach beyond the image. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The part of an image inside a box; what lies beyond the image is black, as in torchvision's and Hugging Face's centre crops. */
export function crop(image: Pixels, box: Box): Pixels {
  const { width, height, channels, data } = image;
  if (box.left === 0 && box.top === 0 && box.width === width && box.height === height) return image;
  const out = new Uint8Array(box.width * box.height * channels);
  const from = Math.max(box.left, 0);
  const to = Math.min(box.left + box.width, width);
  const bottom = from < to ? Math.min(box.top + box.height, height) : 0;
  for (let y = Math.max(box.top, 0); y < bottom; y++) {
    const row = data.subarray((y * width + from) * channels, (y * width + to) * channels);
    out.set(row, ((y - box.top) * box.width + from - box.left) * channels);
  }
  return { width: box.width, height: box.height, channels, data: out };
}

/** One channel from three: ITU-R 601-2 luma in 16-bit fixed point, as Pillow's `convert("L")`. */
export function toGray(image: Pixels): Pixels {
  if (image.channels === 1) return image;
  const { width, height, data } = image;
  const out = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < out.length; i++, at += 3)
    out[i] = (data[at] * 19595 + data[at + 1] * 38470 + data[at + 2] * 7471 + 0x8000) >> 16;
  return { width, height, channels: 1, data: out };
}

/** Three equal channels from one. */
export function toRgb(image: Pixels): Pixels {
  if (image.channels === 3) return image;
  const { width, height, data } = image;
  const out = new Uint8Array(data.length * 3);
  for (let i = 0, at = 0; i < data.length; i++, at += 3) out[at] = out[at + 1] = out[at + 2] = data[i];
  return { width, height, channels: 3, data: out };
}
