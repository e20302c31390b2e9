/**
 * ggml computes in float32, rounding after every operation, never fused (x86-64 builds of its library; a compiler that contracts
 * a·b + c, as on ARM, gives other bytes). In the encoders here `fround` stands at every operation whose float64 result could
 * differ; a float64 operation rounded to float32 is the float32 operation, since 53 ≥ 2·24 + 2 (Figueroa 1995).
 */
const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** 1.5·2²³: a float32 of magnitude below 2²² is rounded to an integer, ties to even, by adding it. */
export const roundingShift = 12582912;

/**
 * ggml's `nearest_int`: round half to even, read from the mantissa of x + 1.5·2²³. What it gives beyond ±2²² is no rounding, but
 * part of the reference: infinities are −2²², NaN is 0. Where x is a small float32: `fround(x + roundingShift) − roundingShift`.
 */
export function nearestInt(x: number): number {
  float[0] = Math.fround(x) + roundingShift;
  return (bits[0] & 0x007fffff) - 0x00400000;
}
