/**
 * Which entry of a codebook is nearest to each vector, where an error in coordinate i weighs hᵢ:
 *
 *   Σ hᵢ·(xᵢ − cᵢ)² = Σ hᵢ·xᵢ² − 2·(y·t − b)   with   y = x,           t = c,       b = ½·‖c‖²   where all h = 1,
 *                                                or    y = (h·x, −½h),  t = (c, c²), b = 0         otherwise:
 *
 * either way the entry with the greatest y·t − b, a product of two matrices. In float64; of equally near entries the first.
 */

/** Vectors one after another; `importance` is as long as `values`, or all weigh 1. */
export interface Vectors {
  readonly values: Float32Array;
  readonly importance: Float32Array | undefined;
  /** Numbers in a vector. */
  readonly length: number;
}

export type Codes = Uint8Array | Uint16Array;

/** How many vectors are laid out for the products at a time: 8 numbers each stay in the cache. */
const chunk = 512;

/** Fills `codes`, and `errors`, where given, with each vector's weighted squared error; returns their sum. */
export function nearestEntries(
  { values, importance, length }: Vectors,
  book: Float32Array,
  codes: Codes,
  errors?: Float64Array,
): number {
  const count = values.length / length;
  const entries = book.length / length;
  const weighted = importance !== undefined;
  const used = weighted ? 2 * length : length;
  // filled up with zeros, so that four numbers are always there at a time
  const width = Math.ceil(used / 4) * 4;
  const t = new Float64Array(entries * width);
  const b = new Float64Array(entries);
  for (let e = 0; e < entries; e++) {
    for (let i = 0; i < length; i++) {
      const c = book[e * length + i];
      t[e * width + i] = c;
      if (weighted) t[e * width + length + i] = c * c;
      else b[e] += (c * c) / 2;
    }
  }
  const y = new Float64Array(chunk * width);
  const best = new Float64Array(chunk);
  let total = 0;
  for (let first = 0; first < count; first += chunk) {
    const end = Math.min(count, first + chunk);
    for (let v = first; v < end; v++) {
      for (let i = 0; i < length; i++) {
        const x = values[v * length + i];
        const h = importance === undefined ? 1 : importance[v * length + i];
        y[(v - first) * width + i] = h * x;
        if (weighted) y[(v - first) * width + length + i] = -h / 2;
      }
    }
    const out = codes.subarray(first, end);
    if (width === 4) greatestOfFour(y, t, b, out, best);
    else if (width === 8) greatestOfEight(y, t, b, out, best);
    else greatest(y, t, b, width, out, best);
    for (let v = first; v < end; v++) {
      let size = 0;
      for (let i = v * length; i < (v + 1) * length; i++) {
        size += (importance === undefined ? 1 : importance[i]) * values[i] * values[i];
      }
      // rounding may leave a little less than nothing
      const error = Math.max(0, size - 2 * best[v - first]);
      if (errors !== undefined) errors[v] = error;
      total += error;
    }
  }
  return total;
}

/** The most common widths keep y in registers: half of the time of the general loop. */
function greatestOfFour(y: Float64Array, t: Float64Array, b: Float64Array, codes: Codes, best: Float64Array): void {
  for (let v = 0; v < codes.length; v++) {
    const y0 = y[4 * v];
    const y1 = y[4 * v + 1];
    const y2 = y[4 * v + 2];
    const y3 = y[4 * v + 3];
    let most = Number.NEGATIVE_INFINITY;
    let code = 0;
    for (let e = 0, at = 0; e < b.length; e++, at += 4) {
      const score = y0 * t[at] + y1 * t[at + 1] + (y2 * t[at + 2] + y3 * t[at + 3]) - b[e];
      if (score > most) {
        most = score;
        code = e;
      }
    }
    codes[v] = code;
    best[v] = most;
  }
}

function greatestOfEight(y: Float64Array, t: Float64Array, b: Float64Array, codes: Codes, best: Float64Array): void {
  for (let v = 0; v < codes.length; v++) {
    const y0 = y[8 * v];
    const y1 = y[8 * v + 1];
    const y2 = y[8 * v + 2];
    const y3 = y[8 * v + 3];
    const y4 = y[8 * v + 4];
    const y5 = y[8 * v + 5];
    const y6 = y[8 * v + 6];
    const y7 = y[8 * v + 7];
    let most = Number.NEGATIVE_INFINITY;
    let code = 0;
    for (let e = 0, at = 0; e < b.length; e++, at += 8) {
      const low = y0 * t[at] + y1 * t[at + 1] + (y2 * t[at + 2] + y3 * t[at + 3]);
      const high = y4 * t[at + 4] + y5 * t[at + 5] + (y6 * t[at + 6] + y7 * t[at + 7]);
      const score = low + high - b[e];
      if (score > most) {
        most = score;
        code = e;
      }
    }
    codes[v] = code;
    best[v] = most;
  }
}

function greatest(
  y: Float64Array,
  t: Float64Array,
  b: Float64Array,
  width: number,
  codes: Codes,
  best: Float64Array,
): void {
  for (let v = 0; v < codes.length; v++) {
    const first = v * width;
    let most = Number.NEGATIVE_INFINITY;
    let code = 0;
    for (let e = 0, at = 0; e < b.length; e++) {
      let score = -b[e];
      for (let i = first; i < first + width; i += 4, at += 4) {
        score += y[i] * t[at] + y[i + 1] * t[at + 1] + (y[i + 2] * t[at + 2] + y[i + 3] * t[at + 3]);
      }
      if (score > most) {
        most = score;
        code = e;
      }
    }
    codes[v] = code;
    best[v] = most;
  }
}
