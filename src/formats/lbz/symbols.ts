/**
 * A run of symbols of 1 to 8 bits, in the shortest of five forms:
 *
 *   0 raw       bits without gaps
 *   1 constant  the symbol
 *   2 huffman   code lengths, 4 bits each; the codes
 *   3 rans      frequencies; states and bytes
 *   4 sparse    the commonest symbol; bits of a gap; how many others; their gaps and their values, each a run of its own.
 *               A gap too long for its bits ends in a filler, a value that is the commonest symbol (Han et al. 2016, §2)
 *
 * A run begins with its form (one byte) and the length of what follows (varint).
 */
import { type Cursor, varint } from "#formats/lbz/cursor";
import { decodeHuffman, encodeHuffman, huffmanLengths } from "#math/huffman";
import { packBits, unpackBits } from "#math/packing";
import { decodeRans, encodeRans, ransFrequencies } from "#math/rans";

/** What may compress a run; raw and constant are always considered. */
export type Coder = "huffman" | "rans" | "sparse";

export const coders: readonly Coder[] = ["huffman", "rans", "sparse"];

const forms = { raw: 0, constant: 1, huffman: 2, rans: 3, sparse: 4 } as const;

/** Widths of a gap that are tried: Deep Compression's are 5 for dense and 8 for convolutional layers. */
const gapWidths = [4, 5, 8];

/** Sparse runs hold two runs, which are not sparse themselves. */
const plain: readonly Coder[] = ["huffman", "rans"];

export function encodeSymbols(symbols: Uint8Array, width: number, allowed: readonly Coder[] = coders): Uint8Array {
  const counts = countsOf(symbols, width);
  const present = counts.reduce((n, count) => n + (count > 0 ? 1 : 0), 0);
  if (present === 1) return run(forms.constant, [symbols[0]]);
  const candidates = [run(forms.raw, packBits(symbols, width))];
  if (present > 1) {
    if (allowed.includes("huffman")) candidates.push(huffmanRun(symbols, counts));
    if (allowed.includes("rans")) candidates.push(ransRun(symbols, counts));
    if (allowed.includes("sparse")) candidates.push(...sparseRuns(symbols, width, counts, allowed));
  }
  return candidates.reduce((best, next) => (next.length < best.length ? next : best));
}

/** `count` symbols. Throws lbz/malformed for bytes that `encodeSymbols` does not write. */
export function decodeSymbols(cursor: Cursor, width: number, count: number): Uint8Array {
  const form = cursor.byte();
  const body = cursor.take(cursor.varint());
  const inner = cursor.within(body);
  const fail = (): never => {
    throw cursor.malformed("a run of symbols is damaged");
  };
  switch (form) {
    case forms.raw:
      if (body.length !== Math.ceil((count * width) / 8)) return fail();
      return unpackBits(body, width, count) as Uint8Array;
    case forms.constant:
      if (body.length !== 1 || body[0] >= 2 ** width) return fail();
      return new Uint8Array(count).fill(body[0]);
    case forms.huffman: {
      const lengths = unpackBits(inner.take(2 ** width / 2), 4, 2 ** width) as Uint8Array;
      return decodeHuffman(inner.rest(), lengths, count) ?? fail();
    }
    case forms.rans: {
      const frequencies = Uint16Array.from({ length: 2 ** width }, () => inner.varint());
      return decodeRans(inner.rest(), frequencies, count) ?? fail();
    }
    case forms.sparse: {
      const [commonest, gapWidth, others] = [inner.byte(), inner.byte(), inner.varint()];
      if (commonest >= 2 ** width || gapWidth < 1 || gapWidth > 8 || others > count) return fail();
      const gaps = decodeSymbols(inner, gapWidth, others);
      const values = decodeSymbols(inner, width, others);
      const out = new Uint8Array(count).fill(commonest);
      let at = 0;
      for (let i = 0; i < others; i++) {
        at += gaps[i];
        if (at >= count) return fail();
        out[at++] = values[i];
      }
      return out;
    }
    default:
      return fail();
  }
}

function huffmanRun(symbols: Uint8Array, counts: Float64Array): Uint8Array {
  const lengths = huffmanLengths(counts);
  return run(forms.huffman, packBits(lengths, 4), encodeHuffman(symbols, lengths));
}

function ransRun(symbols: Uint8Array, counts: Float64Array): Uint8Array {
  const frequencies = ransFrequencies(counts);
  return run(forms.rans, Array.from(frequencies).flatMap(varint), encodeRans(symbols, frequencies));
}

function sparseRuns(symbols: Uint8Array, width: number, counts: Float64Array, allowed: readonly Coder[]): Uint8Array[] {
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  // where the rest is not rare, gaps cost more than they save
  if (most < symbols.length / 2) return [];
  const commonest = counts.indexOf(most);
  const inner = plain.filter((coder) => allowed.includes(coder));
  return gapWidths.map((gapWidth) => {
    const { gaps, values } = gapsOf(symbols, commonest, 2 ** gapWidth - 1);
    return run(
      forms.sparse,
      [commonest, gapWidth, ...varint(gaps.length)],
      encodeSymbols(gaps, gapWidth, inner),
      encodeSymbols(values, width, inner),
    );
  });
}

/** How many of the commonest symbol stand before each of the others, and those others. */
function gapsOf(symbols: Uint8Array, commonest: number, longest: number): { gaps: Uint8Array; values: Uint8Array } {
  const gaps: number[] = [];
  const values: number[] = [];
  let gap = 0;
  for (const symbol of symbols) {
    if (symbol === commonest && gap < longest) gap++;
    else {
      gaps.push(gap);
      values.push(symbol);
      gap = 0;
    }
  }
  return { gaps: Uint8Array.from(gaps), values: Uint8Array.from(values) };
}

function countsOf(symbols: Uint8Array, width: number): Float64Array {
  const counts = new Float64Array(2 ** width);
  for (const symbol of symbols) counts[symbol]++;
  return counts;
}

function run(form: number, ...parts: readonly ArrayLike<number>[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = [form, ...varint(length)];
  const out = new Uint8Array(head.length + length);
  out.set(head);
  let at = head.length;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
