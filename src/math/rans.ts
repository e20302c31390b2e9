/**
 * Range asymmetric numeral systems: an entropy coder that comes within a fraction of a percent of the entropy, at the speed of a
 * table lookup (Duda 2013, arXiv 1311.2540; the byte-wise form with two interleaved states of Giesen 2014, arXiv 1402.3392).
 *
 *   encode s:  x ← ⌊x / f_s⌋·2¹⁴ + c_s + (x mod f_s)         decode: s = symbol(x mod 2¹⁴);  x ← f_s·⌊x / 2¹⁴⌋ + (x mod 2¹⁴) − c_s
 *
 * Symbols are encoded from the last to the first, and decoded from the first to the last.
 */

const scaleBits = 14;
/** Sum of all frequencies. */
export const ransTotal = 2 ** scaleBits;
/** States live in [2²³, 2³¹). */
const least = 2 ** 23;

/**
 * Counts brought to a sum of 2¹⁴, at least 1 for every symbol that occurs, by largest remainders: what the coder and the decoder
 * take for probabilities. All zero for no symbols at all.
 */
export function ransFrequencies(counts: ArrayLike<number>): Uint16Array {
  const values = Array.from(counts);
  const sum = values.reduce((total, count) => total + count, 0);
  const frequencies = new Uint16Array(values.length);
  if (sum === 0) return frequencies;
  const exact = values.map((count) => (count / sum) * ransTotal);
  exact.forEach((share, symbol) => {
    if (values[symbol] > 0) frequencies[symbol] = Math.max(1, Math.floor(share));
  });
  let missing = ransTotal - frequencies.reduce((total, f) => total + f, 0);
  const byRemainder = [...exact.keys()]
    .filter((symbol) => values[symbol] > 0)
    .sort((a, b) => exact[b] - frequencies[b] - (exact[a] - frequencies[a]) || a - b);
  for (let i = 0; missing > 0; i = (i + 1) % byRemainder.length, missing--) frequencies[byRemainder[i]]++;
  while (missing < 0) {
    // rare symbols were lifted to 1: the common ones pay
    const most = frequencies.indexOf(frequencies.reduce((a, b) => Math.max(a, b), 0));
    const take = Math.min(-missing, Math.max(1, frequencies[most] >> 4));
    frequencies[most] -= take;
    missing += take;
  }
  return frequencies;
}

/** The two states, 4 bytes each, lowest first, then the bytes that decoding takes in. Every symbol must have a frequency. */
export function encodeRans(symbols: Uint8Array, frequencies: Uint16Array): Uint8Array {
  const starts = startsOf(frequencies);
  // 14 bits a symbol at the most, and the states
  const out = new Uint8Array(symbols.length * 2 + 8);
  let at = out.length;
  const states = [least, least];
  for (let i = symbols.length - 1; i >= 0; i--) {
    const frequency = frequencies[symbols[i]];
    let x = states[i & 1];
    const most = 2 ** 17 * frequency;
    while (x >= most) {
      out[--at] = x & 255;
      x >>>= 8;
    }
    const quotient = Math.floor(x / frequency);
    states[i & 1] = quotient * ransTotal + starts[symbols[i]] + (x - quotient * frequency);
  }
  for (const x of [states[1], states[0]]) {
    for (let shift = 24; shift >= 0; shift -= 8) out[--at] = (x >>> shift) & 255;
  }
  return out.slice(at);
}

/** Undoes `encodeRans`: `count` symbols. Undefined where frequencies do not add up, or the bytes are not what was written. */
export function decodeRans(bytes: Uint8Array, frequencies: Uint16Array, count: number): Uint8Array | undefined {
  if (frequencies.reduce((total, f) => total + f, 0) !== ransTotal || bytes.length < 8) return undefined;
  const starts = startsOf(frequencies);
  const symbolAt = new Uint8Array(ransTotal);
  frequencies.forEach((f, symbol) => symbolAt.fill(symbol, starts[symbol], starts[symbol] + f));
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  let x = view.getUint32(0, true);
  let y = view.getUint32(4, true);
  const out = new Uint8Array(count);
  let at = 8;
  for (let i = 0; i < count; i++) {
    const slot = x & (ransTotal - 1);
    const symbol = symbolAt[slot];
    out[i] = symbol;
    x = frequencies[symbol] * (x >>> scaleBits) + slot - starts[symbol];
    while (x < least && at < bytes.length) x = ((x << 8) | bytes[at++]) >>> 0;
    const turn = x;
    x = y;
    y = turn;
  }
  return at === bytes.length && x === least && y === least ? out : undefined;
}

/** Where each symbol's slots begin. */
function startsOf(frequencies: Uint16Array): Uint16Array {
  const starts = new Uint16Array(frequencies.length);
  for (let symbol = 1; symbol < starts.length; symbol++) starts[symbol] = starts[symbol - 1] + frequencies[symbol - 1];
  return starts;
}
