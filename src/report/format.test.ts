import { describe, expect, test } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDecibels,
  formatDuration,
  formatExactBytes,
  formatMilliJoule,
  formatMilliseconds,
  formatNumber,
  formatPercent,
  formatPoints,
  formatRatio,
  formatShare,
  plural,
} from "#report/format";

describe("sizes", () => {
  test.each([
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [13_964_571, "14.0 MB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [1.5e9, "1.50 GB"],
    [20e12, "20.0 TB"],
    [4e18, "4,000 PB"],
    [null, "–"],
    [Number.NaN, "NaN B"],
  ])("%s bytes read as %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test("are exact to the byte where asked", () => {
    expect([1, 1234567].map(formatExactBytes)).toEqual(["1 byte", "1,234,567 bytes"]);
  });
});

describe("times and energies", () => {
  test.each([
    [8.661, "8.66 ms"],
    [0.0412, "41.2 µs"],
    [0.0000412, "41.2 ns"],
    [999.6, "1.00 s"],
    [0, "0 ms"],
    [1e7, "10,000 s"],
    [Number.POSITIVE_INFINITY, "∞ ms"],
  ])("%s ms reads as %s", (ms, text) => expect(formatMilliseconds(ms)).toBe(text));

  test("that are compared share a unit", () => {
    expect([3.87, 0.943, 0].map((mJ) => formatMilliJoule(mJ, 3.87))).toEqual(["3.87 mJ", "0.943 mJ", "0 mJ"]);
  });

  test.each([
    [400, "400 ms"],
    [59_990, "60.0 s"],
    [151_000, "2 min 31 s"],
    [8_040_000, "2 h 14 min"],
  ])("a run of %s ms lasted %s", (ms, text) => expect(formatDuration(ms)).toBe(text));
});

describe("shares", () => {
  test("have the digits that their samples carry", () => {
    expect([50, 1000, 50_000].map((samples) => formatPercent(0.71834, samples))).toEqual(["72 %", "71.8 %", "71.83 %"]);
  });

  test("known exactly keep two digits however small", () => {
    expect([0.1, 0.000021, 0.25, 0].map(formatShare)).toEqual(["10 %", "0.0021 %", "25 %", "0 %"]);
  });

  test("differ by signed points, and nothing has no sign", () => {
    expect(formatPoints(0.006)).toBe("+0.6 points");
    expect(formatPoints(-0.006)).toBe("−0.6 points");
    expect(formatPoints(-0.0001)).toBe("0.0 points");
    expect(formatPoints(0.0001)).toBe("0.0 points");
    expect(formatPoints(-0.009, 1000, 0.018)).toBe("−0.9 ± 1.8 points");
  });
});

describe("numbers", () => {
  test.each([
    [2.37, "2.37"],
    [0.0523, "0.0523"],
    [12.35, "12.3"],
    [999.4, "999"],
    [999.6, "1,000"],
    [-1234567, "−1,234,567"],
    [0, "0"],
    [Number.NEGATIVE_INFINITY, "−∞"],
    [undefined, "–"],
  ])("%s reads as %s", (x, text) => expect(formatNumber(x)).toBe(text));

  test("have their unit or a dash", () => {
    expect([3.524, 1204, null].map(formatRatio)).toEqual(["3.52×", "1,204×", "–"]);
    expect([32.149, -0.04, Number.POSITIVE_INFINITY, Number.NaN, null].map(formatDecibels)).toEqual([
      "32.1 dB",
      "0.0 dB",
      "∞ dB",
      "NaN dB",
      "–",
    ]);
    expect([formatCount(-1000), plural(1, "layer"), plural(1500, "layer")]).toEqual([
      "−1,000",
      "1 layer",
      "1,500 layers",
    ]);
  });
});
