/**
 * Canonical Huffman codes of limited length: each symbol's code follows from the lengths alone, so that a file holds only those
 * (Huffman 1952; lengths by package-merge, Larmore & Hirschberg 1990; canonical order as in RFC 1951 §3.2.2).
 */

/** Longest code: a decoder's table has 2¹⁵ entries at most. */
const longest = 15;

interface Package {
  readonly weight: number;
  readonly symbols: readonly number[];
}

/**
 * Code lengths, 0 for symbols that do not occur, with the least total number of bits of all prefix codes of at most 15 bits.
 * A lone symbol has length 1. → counts 45, 13, 12, 16, 9, 5 give 1, 3, 3, 3, 4, 4
 */
export function huffmanLengths(counts: ArrayLike<number>): Uint8Array {
  const lengths = new Uint8Array(counts.length);
  const present = Array.from(counts).flatMap((weight, symbol) => (weight > 0 ? [{ weight, symbols: [symbol] }] : []));
  if (present.length === 1) lengths[present[0].symbols[0]] = 1;
  if (present.length < 2) return lengths;
  const leaves = present.sort(byWeight);
  let row: readonly Package[] = leaves;
  for (let bits = 1; bits < longest; bits++) {
    const packages: Package[] = [];
    for (let i = 0; i + 1 < row.length; i += 2)
      packages.push({ weight: row[i].weight + row[i + 1].weight, symbols: [...row[i].symbols, ...row[i + 1].symbols] });
    row = [...leaves, ...packages].sort(byWeight);
  }
  for (const { symbols } of row.slice(0, 2 * leaves.length - 2)) for (const symbol of symbols) lengths[symbol]++;
  return lengths;
}

/** Ties go to the smaller symbol, so that the same counts give the same code. */
function byWeight(a: Package, b: Package): number {
  return a.weight - b.weight || a.symbols.length - b.symbols.length || a.symbols[0] - b.symbols[0];
}

/** Codes with their bits reversed, as they are written: lowest bit first. */
function canonicalCodes(lengths: Uint8Array): Uint16Array {
  const codes = new Uint16Array(lengths.length);
  const first = firstCodes(lengths);
  lengths.forEach((length, symbol) => {
    if (length > 0) codes[symbol] = reversed(first[length]++, length);
  });
  return codes;
}

/** The least code of each length: (that of one bit less + how many have it) · 2. */
function firstCodes(lengths: Uint8Array): Uint16Array {
  const howMany = new Uint16Array(longest + 1);
  for (const length of lengths) if (length > 0) howMany[length]++;
  const first = new Uint16Array(longest + 1);
  for (let bits = 2; bits <= longest; bits++) first[bits] = (first[bits - 1] + howMany[bits - 1]) << 1;
  return first;
}

function reversed(code: number, length: number): number {
  let out = 0;
  for (let bit = 0; bit < length; bit++) out = (out << 1) | ((code >>> bit) & 1);
  return out;
}

/** Symbols as bits, lowest first, the last byte filled with zeros. Every symbol must have a length. */
export function encodeHuffman(symbols: Uint8Array, lengths: Uint8Array): Uint8Array {
  const codes = canonicalCodes(lengths);
  let bits = 0;
  for (const symbol of symbols) bits += lengths[symbol];
  const out = new Uint8Array(Math.ceil(bits / 8));
  let at = 0;
  let buffer = 0;
  let held = 0;
  for (const symbol of symbols) {
    buffer |= codes[symbol] << held;
    held += lengths[symbol];
    while (held >= 8) {
      out[at++] = buffer;
      buffer >>>= 8;
      held -= 8;
    }
  }
  if (held > 0) out[at] = buffer;
  return out;
}

/** Undoes `encodeHuffman`: `count` symbols. Undefined where lengths are no prefix code, or the bits end too early. */
export function decodeHuffman(bytes: Uint8Array, lengths: Uint8Array, count: number): Uint8Array | undefined {
  const deepest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const space = lengths.reduce((sum, length) => sum + (length > 0 ? 2 ** (longest - length) : 0), 0);
  if (deepest > longest || space > 2 ** longest) return undefined;
  if (count === 0) return new Uint8Array(0);
  const table = decodingTable(lengths, deepest);
  const mask = 2 ** deepest - 1;
  const out = new Uint8Array(count);
  let at = 0;
  let buffer = 0;
  let held = 0;
  for (let i = 0; i < count; i++) {
    while (held < deepest && at < bytes.length) {
      buffer |= bytes[at++] << held;
      held += 8;
    }
    const entry = table[buffer & mask];
    const length = entry & 15;
    if (length === 0 || length > held) return undefined;
    out[i] = entry >>> 4;
    buffer >>>= length;
    held -= length;
  }
  return out;
}

/** The symbol (upper bits) and length (lower four) that each pattern of `deepest` bits begins with; 0 where none. */
function decodingTable(lengths: Uint8Array, deepest: number): Uint16Array {
  const table = new Uint16Array(2 ** deepest);
  canonicalCodes(lengths).forEach((code, symbol) => {
    const length = lengths[symbol];
    if (length === 0) return;
    for (let pattern = code; pattern < table.length; pattern += 2 ** length) table[pattern] = (symbol << 4) | length;
  });
  return table;
}
