import { packBits } from "#math/packing";
import { describe, expect, test } from "vitest";
import { entropyBits, SymbolCounts } from "#report/entropy";

describe("entropy of codes", () => {
  test.each([
    ["equal symbols need nothing", [8, 0, 0, 0], 0],
    ["two equally frequent ones a bit each", [4, 4, 0, 0], 8],
    ["four equally frequent ones two bits each", [1, 1, 1, 1], 8],
    ["the lecture's example: ½, ¼, ⅛, ⅛ are 1.75 bits", [4, 2, 1, 1], 14],
    ["nothing needs nothing", [], 0],
  ])("%s", (_, counts, bits) => {
    expect(entropyBits(Float64Array.from(counts))).toBeCloseTo(bits, 10);
  });

  test("symbols are read lowest bits first, as they are packed", () => {
    const of = (bits: number): number[] => {
      const symbols = new SymbolCounts(bits);
      symbols.add(Uint8Array.of(0b11_10_01_00, 0x0f));
      return [...symbols.counts];
    };
    expect(of(8)[0b11_10_01_00]).toBe(1);
    expect(of(4)).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
    expect(of(2)).toEqual([3, 1, 1, 3]);
    expect(of(1)).toEqual([8, 8]);
  });

  test("symbols that straddle bytes are counted wherever the bytes are cut", () => {
    const codes = Array.from({ length: 64 }, (_, i) => (i * i) % 8);
    const packed = packBits(codes, 3);
    const symbols = new SymbolCounts(3);
    for (const at of [0, 5, 16]) symbols.add(packed.subarray(at, at === 0 ? 5 : at === 5 ? 16 : undefined));
    expect([...symbols.counts]).toEqual(Array.from({ length: 8 }, (_, s) => codes.filter((c) => c === s).length));
  });
});
