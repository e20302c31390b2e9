/**
 * What is left of a layer when inputs and weights are both binary (XNOR-Net: Rastegari et al. 2016, arXiv 1603.05279, §3.2):
 *
 *   I ∗ W ≈ (sign(I) ⊛ sign(W)) ⊙ K·α,   K = A ∗ k,   A = mean over channels of |I|,   k = 1/(w·h) everywhere
 */
import { unpackBits } from "#math/packing";

export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export interface Window {
  /** [height, width]. */
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Zeros at the top, left, bottom and right, as ONNX orders them. */
  readonly pads: readonly [number, number, number, number];
}

/** K of an image [channels, height, width]: what each output of a binary convolution is multiplied with, beside α. → shape [outHeight, outWidth] */
export function xnorScales(image: Float32Array, { channels, height, width }: ImageShape, window: Window): Float32Array {
  const { kernel, strides, pads } = window;
  const outHeight = Math.floor((height + pads[0] + pads[2] - kernel[0]) / strides[0]) + 1;
  const outWidth = Math.floor((width + pads[1] + pads[3] - kernel[1]) / strides[1]) + 1;
  const A = new Float64Array(height * width);
  for (let i = 0; i < image.length; i++) A[i % A.length] += Math.abs(image[i]) / channels;
  const K = new Float32Array(outHeight * outWidth);
  for (let oy = 0; oy < outHeight; oy++) {
    for (let ox = 0; ox < outWidth; ox++) {
      let sum = 0;
      for (let ky = 0; ky < kernel[0]; ky++) {
        const y = oy * strides[0] - pads[0] + ky;
        if (y < 0 || y >= height) continue;
        for (let kx = 0; kx < kernel[1]; kx++) {
          const x = ox * strides[1] - pads[1] + kx;
          if (x >= 0 && x < width) sum += A[y * width + x];
        }
      }
      K[oy * outWidth + ox] = sum / (kernel[0] * kernel[1]);
    }
  }
  return K;
}

/**
 * Dot product of two vectors of ±1, packed as bits (1 for +1, `packBits` with 1 bit): −n + 2·popcount(a xnor b). The definition that
 * kernels are held to.
 */
export function xnorDot(a: Uint8Array, b: Uint8Array, n: number): number {
  const equal = a.map((byte, i) => ~(byte ^ b[i]));
  let count = 0;
  for (const bit of unpackBits(equal, 1, n)) count += bit;
  return -n + 2 * count;
}
