/**
 * Resizing, byte for byte as Pillow's `Image.resize` does it on 8-bit images: the arithmetic that nearly every vision model was
 * trained with (torchvision and Hugging Face call Pillow).
 *
 * Two passes, horizontal then vertical. An output pixel at x has its centre at c = (x + ½)·r in the source, r = source ÷ target
 * size, and is Σ wᵢ·pixelᵢ with wᵢ = f((i + ½ − c) / max(r, 1)) normalised to sum 1: when shrinking, the filter f widens with the
 * ratio, which is what "antialias" means. Weights are rounded to 22-bit fixed point and each pass rounds to bytes.
 * Source: Pillow 3.3 to 12, src/libImaging/Resample.c and Geometry.c (ImagingScaleAffine); golden vectors in test/golden/resize.
 * Pillow 13 swaps the passes where the height shrinks much more than the width, which moves some bytes by a level; we do not.
 */
import { LowbitError } from "#base/errors";
import type { Box, Pixels } from "#data/images/pixels";

interface Kernel {
  /** Half-width in source pixels, at r ≤ 1. */
  readonly support: number;
  readonly weight: (x: number) => number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** Keys' cubic with a = −½. */
const cubic = (x: number): number => {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? ((t - 5) * t + 8) * t * -0.5 + 2 : 0;
};

const kernels = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(1 - Math.abs(x), 0) },
  hamming: {
    support: 1,
    weight: (x) => (Math.abs(x) >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI))),
  },
  bicubic: { support: 2, weight: cubic },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
} satisfies Record<string, Kernel>;

export type Filter = "nearest" | keyof typeof kernels;

export const filters: readonly Filter[] = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"];

/**
 * An image at another size.
 * @param window the part of the result that is wanted (inside it); the rest is not computed. Default: all of it.
 */
export function resize(image: Pixels, width: number, height: number, filter: Filter, window?: Box): Pixels {
  const part = window ?? { left: 0, top: 0, width, height };
  if (filter === "nearest") return nearest(image, width, height, part);
  const kernel = kernels[filter];
  const across = weightsFor(image.width, width, part.left, part.width, kernel);
  const down = weightsFor(image.height, height, part.top, part.height, kernel);
  return vertical(horizontal(image, across, down), down);
}

/** For each output pixel: the first source pixel, how many, and their fixed-point weights. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `stride` per output pixel. */
  readonly weight: Int32Array;
  readonly stride: number;
}

/** Leaves 8 bits for the pixel and 2 for overshoot in an int32 sum. */
const precision = 22;
const half = 1 << (precision - 1);

function weightsFor(size: number, target: number, start: number, length: number, kernel: Kernel): Weights {
  const ratio = size / target;
  const widening = Math.max(ratio, 1);
  const support = kernel.support * widening;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const weight = new Int32Array(length * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < length; i++) {
    const centre = (start + i + 0.5) * ratio;
    const low = Math.max(Math.trunc(centre - support + 0.5), 0);
    const taps = Math.min(Math.trunc(centre + support + 0.5), size) - low;
    let sum = 0;
    for (let k = 0; k < taps; k++) sum += exact[k] = kernel.weight((k + low - centre + 0.5) * (1 / widening));
    for (let k = 0; k < taps; k++) {
      const share = (sum === 0 ? exact[k] : exact[k] / sum) * (1 << precision);
      weight[i * stride + k] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    }
    first[i] = low;
    count[i] = taps;
  }
  return { first, count, weight, stride };
}

/** The first pass, over the rows that the second will ask for: row 0 of the result is row `down.first[0]` of the image. */
function horizontal(image: Pixels, across: Weights, down: Weights): Pixels {
  const { width, channels, data } = image;
  const { first, count, weight, stride } = across;
  const top = down.first[0];
  const height = (down.first.at(-1) ?? 0) + (down.count.at(-1) ?? 0) - top;
  const out = allocatePixels(first.length, height, channels);
  let to = 0;
  for (let y = top; y < top + height; y++) {
    for (let x = 0; x < first.length; x++) {
      const at = (y * width + first[x]) * channels;
      const w = x * stride;
      if (channels === 3) {
        let red = half;
        let green = half;
        let blue = half;
        for (let k = 0, from = at; k < count[x]; k++, from += 3) {
          red += data[from] * weight[w + k];
          green += data[from + 1] * weight[w + k];
          blue += data[from + 2] * weight[w + k];
        }
        out[to++] = byte(red);
        out[to++] = byte(green);
        out[to++] = byte(blue);
      } else {
        let luma = half;
        for (let k = 0; k < count[x]; k++) luma += data[at + k] * weight[w + k];
        out[to++] = byte(luma);
      }
    }
  }
  return { width: first.length, height, channels, data: out };
}

function vertical(image: Pixels, down: Weights): Pixels {
  const { width, channels, data } = image;
  const { first, count, weight, stride } = down;
  const row = width * channels;
  const out = allocatePixels(width, first.length, channels);
  for (let y = 0; y < first.length; y++) {
    const top = (first[y] - first[0]) * row;
    for (let x = 0; x < row; x++) {
      let sum = half;
      for (let k = 0, from = top + x; k < count[y]; k++, from += row) sum += data[from] * weight[y * stride + k];
      out[y * row + x] = byte(sum);
    }
  }
  return { width, height: first.length, channels, data: out };
}

/** A strip of a million pixels brought to 224 × 224 passes through something enormous: refused, not attempted. */
const maxBytes = 2 ** 28;

function allocatePixels(width: number, height: number, channels: number): Uint8Array {
  const bytes = width * height * channels;
  if (bytes <= maxBytes) return new Uint8Array(bytes);
  throw new LowbitError("data/shape", `resizing would pass through ${width} × ${height} pixels`, {
    hint: "the proportions of the image are extreme, or the size asked for is wrong",
  });
}

/** A fixed-point sum as a byte, clipped. */
function byte(sum: number): number {
  const value = sum >> precision;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function nearest(image: Pixels, width: number, height: number, part: Box): Pixels {
  const { channels, data } = image;
  const columns = positions(image.width, width).subarray(part.left, part.left + part.width);
  const rows = positions(image.height, height).subarray(part.top, part.top + part.height);
  const out = allocatePixels(part.width, part.height, channels);
  let to = 0;
  for (const y of rows)
    for (const x of columns)
      for (let c = 0, from = (y * image.width + x) * channels; c < channels; c++) out[to++] = data[from + c];
  return { width: part.width, height: part.height, channels, data: out };
}

/** Pillow steps by addition, and the rounding of those additions shows. */
function positions(size: number, target: number): Int32Array {
  const step = size / target;
  const out = new Int32Array(target);
  for (let i = 0, at = step * 0.5; i < target; i++, at += step) out[i] = Math.min(Math.trunc(at), size - 1);
  return out;
}
