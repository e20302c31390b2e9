import fc from "fast-check";
import { expect, test } from "vitest";
import { emptySummary, mergeSummaries, type Summary, summarize } from "#quant/summary";

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
