import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeHuffman, encodeHuffman, huffmanLengths } from "#math/huffman";

const symbols = fc
  .array(
    fc.integer({ min: 0, max: 15 }).map((v) => v * v),
    { maxLength: 300 },
  )
  .map((v) => Uint8Array.from(v));

function countsOf(values: Uint8Array): Float64Array {
  const counts = new Float64Array(256);
  for (const value of values) counts[value]++;
  return counts;
}

describe("Huffman's code", () => {
  // CLRS, figure 16.3, and field.md §4.3
  test("of the textbook has the textbook's lengths", () => {
    const counts = [45, 13, 12, 16, 9, 5];
    const lengths = huffmanLengths(counts);
    expect([...lengths]).toEqual([1, 3, 3, 3, 4, 4]);
    expect(counts.reduce((sum, count, i) => sum + count * lengths[i], 0)).toBe(224);
  });

  test("brings back what was written", () => {
    fc.assert(
      fc.property(symbols, (values) => {
        const lengths = huffmanLengths(countsOf(values));
        expect(decodeHuffman(encodeHuffman(values, lengths), lengths, values.length)).toEqual(values);
      }),
    );
  });

  test("is no longer than a bit over the entropy, and no shorter than the entropy", () => {
    fc.assert(
      fc.property(symbols, (values) => {
        const counts = countsOf(values);
        const lengths = huffmanLengths(counts);
        const bits = counts.reduce((sum, count, i) => sum + count * lengths[i], 0);
        const entropy = counts.reduce((sum, n) => (n === 0 ? sum : sum + n * Math.log2(values.length / n)), 0);
        expect(bits).toBeGreaterThanOrEqual(entropy - 1e-6);
        expect(bits).toBeLessThanOrEqual(entropy + values.length + 1e-6);
      }),
    );
  });

  test("is never longer than 15 bits, where Fibonacci's counts would have it be 25", () => {
    const counts = [1, 1];
    while (counts.length < 26) counts.push(counts[counts.length - 1] + counts[counts.length - 2]);
    const lengths = huffmanLengths(counts);
    expect(Math.max(...lengths)).toBe(15);
    expect(lengths.reduce((sum, length) => sum + 2 ** -length, 0)).toBe(1);
  });

  test("does not decode bits that end too early, or lengths that are no code", () => {
    const values = Uint8Array.from({ length: 100 }, (_, i) => i % 7);
    const lengths = huffmanLengths(countsOf(values));
    const bytes = encodeHuffman(values, lengths);
    expect(decodeHuffman(bytes.subarray(0, bytes.length - 1), lengths, 100)).toBeUndefined();
    expect(decodeHuffman(bytes, new Uint8Array(256).fill(1), 100)).toBeUndefined();
    expect(decodeHuffman(bytes, new Uint8Array(256), 100)).toBeUndefined();
  });
});
