/** Mean and population variance of x[from], x[from + 1], … x[to − 1], in two passes so that nothing cancels. */
export function moments(x: ArrayLike<number>, from: number, to: number): { mean: number; variance: number } {
  let sum = 0;
  for (let i = from; i < to; i++) sum += x[i];
  const mean = sum / (to - from);
  let squares = 0;
  for (let i = from; i < to; i++) squares += (x[i] - mean) ** 2;
  return { mean, variance: squares / (to - from) };
}
