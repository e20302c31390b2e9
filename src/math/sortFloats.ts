/**
 * Sorts float32 numbers, ascending, together with numbers that belong to them. Radix sort on the bits (three digits of 11): the
 * bits of positive floats are in the floats' order, those of negative ones in reverse (Terdiman 2000, "Radix sort revisited").
 * Stable for everything but −0 beside 0; linear time. No NaN.
 */
export function sortFloats(
  values: Float32Array,
  companions?: Float32Array,
): { readonly values: Float32Array; readonly companions: Float32Array | undefined } {
  const n = values.length;
  // both are copies, so a view of the whole buffer is a view of them alone
  const keys = new Uint32Array(values.slice().buffer);
  if (n <= shortList) return insertionSort(keys, companions?.slice());
  const counts = new Uint32Array(3 * digits);
  for (let i = 0; i < n; i++) {
    const key = keys[i];
    const ordered = (key & 0x80000000) !== 0 ? ~key >>> 0 : (key | 0x80000000) >>> 0;
    keys[i] = ordered;
    counts[ordered & mask]++;
    counts[digits + ((ordered >>> 11) & mask)]++;
    counts[2 * digits + (ordered >>> 22)]++;
  }
  let from = keys;
  let to = new Uint32Array(n);
  let carried = companions?.slice();
  let carriedTo = companions === undefined ? undefined : new Float32Array(n);
  for (let digit = 0; digit < 3; digit++) {
    const next = startsOf(counts.subarray(digit * digits, (digit + 1) * digits));
    const shift = 11 * digit;
    for (let i = 0; i < n; i++) {
      const key = from[i];
      const at = next[(key >>> shift) & mask]++;
      to[at] = key;
      if (carried !== undefined && carriedTo !== undefined) carriedTo[at] = carried[i];
    }
    [from, to] = [to, from];
    [carried, carriedTo] = [carriedTo, carried];
  }
  for (let i = 0; i < n; i++) from[i] = (from[i] & 0x80000000) !== 0 ? from[i] & 0x7fffffff : ~from[i];
  return { values: new Float32Array(from.buffer), companions: carried };
}

const digits = 2048;
const mask = digits - 1;
/** Up to here clearing the counters would take longer than sorting. */
const shortList = 64;

function startsOf(counts: Uint32Array): Uint32Array {
  let start = 0;
  for (let d = 0; d < digits; d++) {
    const count = counts[d];
    counts[d] = start;
    start += count;
  }
  return counts;
}

function insertionSort(bits: Uint32Array, companions: Float32Array | undefined): ReturnType<typeof sortFloats> {
  const values = new Float32Array(bits.buffer);
  for (let i = 1; i < values.length; i++) {
    const value = values[i];
    const companion = companions === undefined ? 0 : companions[i];
    let at = i;
    for (; at > 0 && values[at - 1] > value; at--) {
      values[at] = values[at - 1];
      if (companions !== undefined) companions[at] = companions[at - 1];
    }
    values[at] = value;
    if (companions !== undefined) companions[at] = companion;
  }
  return { values, companions };
}
