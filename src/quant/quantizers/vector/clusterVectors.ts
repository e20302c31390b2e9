/**
 * k-means on vectors (generalized Lloyd, Linde, Buzo & Gray 1980): k-means++ seeds (Arthur & Vassilvitskii 2007), then rounds of
 * nearest entries and means. An entry that no vector is nearest to takes the place of the vector that is worst off.
 *
 * Where there are very many vectors, all rounds but the last few see a sample of them. On 10⁶ Gaussian vectors of 4 and 256 entries that
 * leaves 0.4 % more error than a sample of twice the size, in half of the time.
 */
import type { Rng } from "#base/rng";
import { type Codes, nearestEntries, type Vectors } from "#quant/quantizers/vector/nearestEntries";

const sampleSize = (entries: number): number => Math.max(32768, 64 * entries);
const seedingSize = (entries: number): number => Math.max(8192, 8 * entries);
const sampleRounds = 25;
/** Over all vectors, after those over the sample. */
const lastRounds = 3;
/** Rounds end when the error falls by less than this part of it. */
const leastProgress = 2e-4;

/** A codebook [entries, length] of little Σ h·(x − c)². */
export function clusterVectors(vectors: Vectors, entries: number, rng: Rng): Float32Array {
  const training = sample(vectors, sampleSize(entries), rng);
  let book = seeds(sample(training, seedingSize(entries), rng), entries, rng);
  book = rounds(training, book, sampleRounds);
  return training === vectors ? book : rounds(vectors, book, lastRounds);
}

function rounds(vectors: Vectors, start: Float32Array, most: number): Float32Array {
  const count = vectors.values.length / vectors.length;
  const codes = codesFor(start.length / vectors.length, count);
  const errors = new Float64Array(count);
  let book = start;
  let before = Number.POSITIVE_INFINITY;
  for (let round = 0; round < most; round++) {
    const error = nearestEntries(vectors, book, codes, errors);
    if (before - error <= leastProgress * error) break;
    book = fillEmpty(vectors, meansOf(vectors, codes, book), codes, errors);
    before = error;
  }
  return book;
}

/** Room for codes of so many entries. */
export function codesFor(entries: number, count: number): Codes {
  return entries <= 256 ? new Uint8Array(count) : new Uint16Array(count);
}

/** Each entry the weighted mean of its vectors; where nothing weighs, coordinates stay as they are. */
export function meansOf({ values, importance, length }: Vectors, codes: Codes, book: Float32Array): Float32Array {
  const sums = new Float64Array(book.length);
  const weights = new Float64Array(book.length);
  for (let v = 0; v < codes.length; v++) {
    const to = codes[v] * length;
    for (let i = 0; i < length; i++) {
      const h = importance === undefined ? 1 : importance[v * length + i];
      sums[to + i] += h * values[v * length + i];
      weights[to + i] += h;
    }
  }
  return book.map((c, i) => (weights[i] === 0 ? c : sums[i] / weights[i]));
}

/** Changes `book` and `errors`: the worst vectors become the entries that have none. */
function fillEmpty({ values, length }: Vectors, book: Float32Array, codes: Codes, errors: Float64Array): Float32Array {
  const taken = new Uint8Array(book.length / length);
  for (let v = 0; v < codes.length; v++) taken[codes[v]] = 1;
  for (let e = 0; e < taken.length; e++) {
    if (taken[e] === 1) continue;
    let worst = 0;
    for (let v = 1; v < errors.length; v++) if (errors[v] > errors[worst]) worst = v;
    // all vectors are met exactly: there is nothing to gain
    if (!(errors[worst] > 0)) break;
    errors[worst] = 0;
    book.set(values.subarray(worst * length, (worst + 1) * length), e * length);
  }
  return book;
}

/** The first by lot, the next each with a chance in proportion to its error so far. */
function seeds({ values, importance, length }: Vectors, entries: number, rng: Rng): Float32Array {
  const count = values.length / length;
  const book = new Float32Array(entries * length);
  const nearest = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  let chosen = rng.below(count);
  for (let e = 0; e < entries; e++) {
    const entry = values.subarray(chosen * length, (chosen + 1) * length);
    book.set(entry, e * length);
    let total = 0;
    for (let v = 0; v < count; v++) {
      let error = 0;
      for (let i = 0; i < length; i++) {
        const d = values[v * length + i] - entry[i];
        error += (importance === undefined ? 1 : importance[v * length + i]) * d * d;
      }
      if (error < nearest[v]) nearest[v] = error;
      total += nearest[v];
    }
    let left = rng.uniform() * total;
    for (let v = 0; v < count; v++) {
      if (nearest[v] === 0) continue;
      chosen = v;
      left -= nearest[v];
      if (left < 0) break;
    }
  }
  return book;
}

/** As many as `most` of them, drawn without replacement; all, as they are, when there are no more. */
function sample(vectors: Vectors, most: number, rng: Rng): Vectors {
  const { values, importance, length } = vectors;
  const count = values.length / length;
  if (count <= most) return vectors;
  const places = Int32Array.from({ length: count }, (_, v) => v);
  const chosen = { values: new Float32Array(most * length), importance: importance?.slice(0, most * length), length };
  for (let k = 0; k < most; k++) {
    const other = k + rng.below(count - k);
    const v = places[other];
    places[other] = places[k];
    chosen.values.set(values.subarray(v * length, (v + 1) * length), k * length);
    if (importance !== undefined) chosen.importance?.set(importance.subarray(v * length, (v + 1) * length), k * length);
  }
  return chosen;
}
