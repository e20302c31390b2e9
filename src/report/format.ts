/**
 * Numbers as people read them: three significant digits, the unit that keeps them short, a true minus sign, and "–"
 * for what is not known. No locale is asked, so a report has the same bytes on every machine.
 */

/** What stands where there is no number. */
export const unknown = "–";

type Value = number | null | undefined;

/** Sizes in the decimal units of file managers and download pages. → 13964571 → "14.0 MB", 640 → "640 B" */
export function formatBytes(bytes: Value): string {
  if (bytes == null) return unknown;
  const large = Number.isFinite(bytes) && Math.abs(bytes) >= 1000;
  return large ? scaled(bytes, "B", ["k", "M", "G", "T", "P"], 1e3) : `${formatCount(bytes)} B`;
}

/** A size to the byte, for tooltips and tables. → "13,964,571 bytes" */
export function formatExactBytes(bytes: Value): string {
  return bytes == null ? unknown : bytes === 1 ? "1 byte" : `${formatCount(bytes)} bytes`;
}

/**
 * Milliseconds, or µs, ns and s where these are shorter. Numbers that are compared share a unit: that of `like`.
 * → 8.661 → "8.66 ms", 0.0412 → "41.2 µs"; 0.0412 like 8.661 → "0.0412 ms"
 */
export function formatMilliseconds(ms: Value, like: Value = ms): string {
  return scaled(ms, "s", ["n", "µ", "m", ""], 1e-6, like);
}

/** Millijoules, or nJ, µJ and J where these are shorter; in the unit of `like`. */
export function formatMilliJoule(millijoule: Value, like: Value = millijoule): string {
  return scaled(millijoule, "J", ["n", "µ", "m", ""], 1e-6, like);
}

/** How long a run took. → 400 → "400 ms", 4200 → "4.20 s", 151000 → "2 min 31 s", 8040000 → "2 h 14 min" */
export function formatDuration(ms: Value): string {
  if (ms == null || !Number.isFinite(ms) || ms < 60_000) return formatMilliseconds(ms);
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${formatCount(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

/** How many times as much. → "3.52×", "12.4×", "1,204×" */
export function formatRatio(ratio: Value): string {
  return ratio == null ? unknown : `${formatNumber(ratio)}×`;
}

/** Signal-to-noise ratios. ∞ dB means bit-exact, −∞ dB that nothing of the signal is left. → "32.1 dB" */
export function formatDecibels(db: Value): string {
  return db == null ? unknown : Number.isFinite(db) ? `${fixed(db, 1)} dB` : `${formatNumber(db)} dB`;
}

/**
 * A fraction in percent, with as many digits as the number of samples it was counted on can carry: none up to 100
 * samples, one up to 1,000, two beyond. Default: one.
 */
export function formatPercent(fraction: Value, samples = 1000): string {
  return percent(fraction, samples, "%");
}

/** A fraction known exactly, in percent with two digits however small. → 0.1 → "10 %", 0.000021 → "0.0021 %" */
export function formatShare(fraction: number): string {
  return `${Number((fraction * 100).toPrecision(2))} %`;
}

/**
 * A difference of two fractions, in percentage points and signed, with how far it can be off.
 * → 0.006 → "+0.6 points"; −0.009, margin 0.018 → "−0.9 ± 1.8 points"
 */
export function formatPoints(difference: Value, samples = 1000, margin: number | null = null): string {
  const text = percent(difference, samples, margin === null ? "points" : `± ${percent(margin, samples, "points")}`);
  return difference != null && difference > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** A bare number with three significant digits. → 0.052, 2.37, 1,204 */
export function formatNumber(x: Value): string {
  if (x == null) return unknown;
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
  const magnitude = Math.abs(x);
  if (magnitude >= 999.5 && magnitude < 1e15) return formatCount(Number(x.toFixed(0)));
  return x === 0 ? "0" : x.toPrecision(3).replace("-", "−");
}

/** A whole number with its thousands apart. → 1000 → "1,000" */
export function formatCount(count: Value): string {
  if (count == null || !Number.isFinite(count) || Math.abs(count) >= 1e21) return formatNumber(count);
  return count
    .toFixed(0)
    .replace(/\B(?=(\d{3})+$)/g, ",")
    .replace("-", "−");
}

/** "1 layer", "53 layers". */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function percent(fraction: Value, samples: number, unit: string): string {
  if (fraction == null) return unknown;
  if (!Number.isFinite(fraction)) return `${formatNumber(fraction)} ${unit}`;
  return `${fixed(fraction * 100, samples <= 100 ? 0 : samples <= 1000 ? 1 : 2)} ${unit}`;
}

/** `toFixed` with a true minus sign, and without the sign of a number that is rounded to nothing. */
function fixed(x: number, digits: number): string {
  const text = x.toFixed(digits);
  return text.startsWith("-") ? (/[1-9]/.test(text) ? `−${text.slice(1)}` : text.slice(1)) : text;
}

/**
 * Three digits, in the largest unit that leaves at least one of `like` before the point; the smallest unit is worth
 * `one`.
 */
function scaled(x: Value, unit: string, prefixes: readonly string[], one: number, like: Value = x): string {
  if (x == null) return unknown;
  if (like == null || !Number.isFinite(like) || like === 0) {
    // nothing to measure by: the unit that numbers of this kind are given in
    const given = Math.max(0, prefixes.indexOf("m"));
    return `${formatNumber(x / (one * 1000 ** given))} ${prefixes[given]}${unit}`;
  }
  let step = 0;
  let worth = one;
  while (step < prefixes.length - 1 && Math.abs(Number((like / worth).toPrecision(3))) >= 1000) {
    worth *= 1000;
    step++;
  }
  return `${formatNumber(x / worth)} ${prefixes[step]}${unit}`;
}
