import * as fc from "fast-check";
import { expect, test } from "vitest";
import { binsFor, emptySummary, mergeSummaries, type Summary, summarize } from "#quant/summary";

const sample = fc.array(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e20), max: Math.fround(1e20) }),
  { minLength: 1, maxLength: 40 },
);
const exact = ({ count, min, max, samples, histogram }: Summary) => ({ count, min, max, samples, histogram });

test("any split of the data, merged in any order, gives the same histogram bit for bit", () => {
  fc.assert(
    fc.property(fc.array(sample, { minLength: 2, maxLength: 5 }), (parts) => {
      const all = parts.map((part) => summarize(part, true));
      const left = all.reduce(mergeSummaries, emptySummary);
      const right = all.reduceRight((sum, part) => mergeSummaries(part, sum), emptySummary);
      const whole = summarize(parts.flat(), true);
      expect(exact(left)).toEqual(exact(right));
      expect(left.histogram).toEqual(whole.histogram);
    }),
  );
});

test("a histogram counts every value once, inside its bin", () => {
  fc.assert(
    fc.property(sample, (values) => {
      const { histogram } = summarize(values, true);
      if (histogram === undefined) throw new Error("no histogram");
      expect(histogram.counts.reduce((sum, n) => sum + n, 0)).toBe(values.length);
      expect(histogram.counts.length).toBeLessThanOrEqual(8192);
    }),
  );
});

test.each([0, -0, 1e-45, 1.2e-38, 1e-30, 3.4e38])("bins around %s are as wide as float32 can divide by", (largest) => {
  for (const [min, max] of [
    [-largest, largest],
    [largest, largest],
  ]) {
    const { width, first, length } = binsFor(Math.fround(min), Math.fround(max));
    expect(Number.isFinite(Math.fround(1 / width))).toBe(true);
    expect(Math.fround(1 / width) * width).toBe(1);
    expect([length > 0, length <= 8192 + 1]).toEqual([true, true]);
    expect(first * width).toBeLessThanOrEqual(Math.fround(min));
  }
});
