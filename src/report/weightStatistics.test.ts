import { describe, expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { float32, fromNumbers, packTensor } from "#model/tensor";
import { weight } from "#model/weights";
import { statisticsOf, weightStatistics } from "#report/weightStatistics";

const gauss = (count: number, mean = 0, std = 1): Float32Array => {
  const rng = createRng("weights");
  return Float32Array.from({ length: count }, () => mean + std * normal(rng));
};

describe("what a weight looks like to a quantizer", () => {
  test("a Gauss distribution has kurtosis 3 and nothing beyond six sigmas", async () => {
    const found = await statisticsOf([gauss(100_000, 0.5, 2)], [100_000]);
    expect(found.mean).toBeCloseTo(0.5, 1);
    expect(found.std).toBeCloseTo(2, 1);
    expect(found.kurtosis).toBeCloseTo(3, 1);
    expect(found.outlierSigmas).toBeGreaterThan(3.9);
    expect(found.outlierSigmas).toBeLessThan(5.5);
    expect(found.beyondSixSigma).toBe(0);
    expect(found).toMatchObject({ count: 100_000, channelSpread: 1, nonFinite: 0 });
  });

  test("outliers show in every measure", async () => {
    const values = gauss(100_000);
    for (let i = 0; i < 10; i++) values[i * 997] = 60;
    const found = await statisticsOf([values], [100_000]);
    expect(found.absmax).toBe(60);
    expect(found.outlierSigmas).toBeGreaterThan(45);
    expect(found.beyondSixSigma).toBeCloseTo(10 / 100_000, 6);
    expect(found.kurtosis).toBeGreaterThan(100);
  });

  test("the spread of channels is the largest over the middle one; pruned channels do not count", async () => {
    const values = Float32Array.from(
      { length: 5 * 4 },
      (_, i) => [0, 1, 2, 4, 100][Math.floor(i / 4)] * (i % 2 === 0 ? -1 : 0.5),
    );
    expect((await statisticsOf([values], [5, 4], { axis: 0 })).channelSpread).toBe(25);
    const columns = Float32Array.from({ length: 4 * 5 }, (_, i) => [0, 1, 2, 4, 100][i % 5]);
    expect((await statisticsOf([columns], [4, 5], { axis: 1 })).channelSpread).toBe(25);
    expect((await statisticsOf([new Float32Array(8)], [2, 4], { axis: 0 })).channelSpread).toBe(1);
  });

  test("the histogram holds every value, in at most 64 bins of equal width", async () => {
    const values = gauss(5000, 3, 0.2);
    const { histogram, min, max } = await statisticsOf([values], [5000], { name: "w", scheme: "float32" });
    expect(histogram.counts.length).toBeLessThanOrEqual(64);
    expect(histogram.counts.length).toBeGreaterThan(8);
    expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(5000);
    expect(histogram.low).toBeLessThanOrEqual(min);
    expect(histogram.low + histogram.width * histogram.counts.length).toBeGreaterThan(max);
    expect(histogram).toMatchObject({ tensor: "w", scheme: "float32", levels: [] });
    const at = (i: number) =>
      values.filter((v) => v >= histogram.low + i * histogram.width && v < histogram.low + (i + 1) * histogram.width)
        .length;
    expect(histogram.counts.map((_, i) => at(i))).toEqual(histogram.counts);
  });

  test("in pieces it is the same", async () => {
    const values = gauss(1000);
    const whole = await statisticsOf([values], [10, 100], { axis: 0 });
    const parts = await statisticsOf(
      [values.subarray(0, 1), values.subarray(1, 333), values.subarray(333)],
      [10, 100],
      { axis: 0 },
    );
    expect(parts).toEqual(whole);
  });

  test("NaN and infinities are counted and left out", async () => {
    const found = await statisticsOf(
      [Float32Array.of(1, Number.NaN, -3, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)],
      [5],
    );
    expect(found).toMatchObject({ count: 2, min: -3, max: 1, absmax: 3, mean: -1, std: 2, nonFinite: 3 });
  });

  test.each([
    ["nothing", []],
    ["zeros", [0, 0, 0]],
    ["one value", [7]],
    ["only NaN", [Number.NaN]],
  ])("%s has figures that are numbers", async (_, values) => {
    const found = await statisticsOf([Float32Array.from(values)], [values.length], { axis: 0 });
    for (const figure of [
      found.min,
      found.max,
      found.mean,
      found.std,
      found.kurtosis,
      found.outlierSigmas,
      found.beyondSixSigma,
      found.channelSpread,
    ])
      expect(Number.isFinite(figure)).toBe(true);
  });

  test("stored tensors of any float type are read from where they are, piece by piece", async () => {
    const halves = fromNumbers("float16", [3], [1, -2, 0.5]);
    expect(await weightStatistics(weight("h", halves))).toMatchObject({ count: 3, min: -2, max: 1 });
    const large = packTensor(float32([3_000_000], gauss(3_000_000)));
    let most = 0;
    const source = bytesSource(large);
    const watched = {
      ...source,
      read: (offset: number, length: number) => ((most = Math.max(most, length)), source.read(offset, length)),
    };
    const ref = {
      ...weight("w", float32([0], [])),
      dims: [3_000_000],
      data: { kind: "range", source: watched, offset: 0, length: large.length } as const,
    };
    const found = await weightStatistics(ref);
    expect(found.count).toBe(3_000_000);
    expect(found.std).toBeCloseTo(1, 2);
    expect(most).toBeLessThanOrEqual(4 * 2 ** 20);
  });
});
