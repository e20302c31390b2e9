/** Reductions over a run of elements, in the order and precision of the reference: float32, first to last. */
const { fround } = Math;

export function sumOfSquares(x: Float32Array, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum = fround(sum + fround(x[i] * x[i]));
  return sum;
}

export function largestMagnitude(x: Float32Array, from: number, count: number): number {
  let largest = 0;
  for (let i = from; i < from + count; i++) {
    const magnitude = Math.abs(x[i]);
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

/** The value of largest magnitude, with its sign; of several, the first. 0 for zeros. */
export function extreme(x: Float32Array, from: number, count: number): number {
  let largest = 0;
  let value = 0;
  for (let i = from; i < from + count; i++) {
    const magnitude = Math.abs(x[i]);
    if (magnitude > largest) {
      largest = magnitude;
      value = x[i];
    }
  }
  return value;
}

/**
 * Weights of a search with an importance matrix: wᵢ = importanceᵢ·√(σ² + xᵢ²), σ² a mean square of the neighbourhood. Writes
 * them to out[to], … and gives their sum.
 */
export function importanceWeights(
  x: Float32Array,
  from: number,
  count: number,
  importance: Float32Array,
  meanSquare: number,
  out: Float32Array,
  to = 0,
): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const v = x[from + i];
    out[to + i] = importance[from + i] * fround(Math.sqrt(fround(meanSquare + fround(v * v))));
    sum = fround(sum + out[to + i]);
  }
  return sum;
}
