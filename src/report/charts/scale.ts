/** From values to pixels, and round values to label. */
import { logarithm } from "#math/logarithm";

export type Scale = (value: number) => number;

/** Maps [low, high] onto [from, to]; an empty domain maps to the middle. */
export function linearScale(low: number, high: number, from: number, to: number): Scale {
  const span = high - low;
  return (value) => (span === 0 ? (from + to) / 2 : from + ((value - low) / span) * (to - from));
}

/**
 * Round values that divide [low, high] into about `count` parts: steps of 1, 2 or 5 times a power of ten, first and
 * last inside the range (as d3's `ticks`). → niceTicks(0, 14e6, 4) → 0, 5e6, 1e7
 */
export function niceTicks(low: number, high: number, count: number): number[] {
  if (!(high > low) || !Number.isFinite(high - low)) return Number.isFinite(low) ? [low] : [];
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(log10(rough) + 1e-9);
  const error = rough / power;
  const step = power * (error >= 7.07 ? 10 : error >= 3.16 ? 5 : error >= 1.41 ? 2 : 1);
  const first = Math.ceil(low / step - 1e-9) + 0; // −0 is 0
  const last = Math.floor(high / step + 1e-9);
  // a step below one is divided by its inverse, so that 3 × 0.1 is 0.3
  const ticks: number[] = [];
  for (let i = first; i <= last; i++) ticks.push(step >= 1 ? i * step : i / Number((1 / step).toPrecision(12)));
  return ticks;
}

/** The least and the greatest of the values that are numbers, `start` among them. */
export function extent(values: readonly number[], ...start: readonly number[]): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const take = (value: number): void => {
    if (value < low) low = value;
    if (value > high) high = value;
  };
  values.forEach(take);
  start.forEach(take);
  return { low, high };
}

/** Decades from `low` up to `high`, both positive. → decades(1, 2000) → 1, 10, 100, 1000 */
export function decades(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.ceil(log10(low) - 1e-9); power <= log10(high) + 1e-9; power++) ticks.push(10 ** power);
  return ticks;
}

/** Decimal logarithm, the same on every engine. */
export function log10(x: number): number {
  return logarithm(x) / Math.LN10;
}
