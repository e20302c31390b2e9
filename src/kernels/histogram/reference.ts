/**
 * Counts numbers by equal bins, adding to `counts`: x falls into bin ⌊x / width⌋ − first. `width` is a power of two, so that the
 * division is exact. What lies outside, and NaN, is not counted.
 */
export function histogram(x: Float32Array, width: number, first: number, counts: Float64Array): void {
  for (let i = 0; i < x.length; i++) {
    const bin = Math.floor(x[i] / width) - first;
    if (bin >= 0 && bin < counts.length) counts[bin]++;
  }
}
