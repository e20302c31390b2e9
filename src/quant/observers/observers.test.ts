import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { optimalClip } from "#quant/observers/aciq";
import { observers } from "#quant/observers/index";
import { quantizationError } from "#quant/observers/mse";
import type { RangeRule } from "#quant/scheme";
import { emptySummary, mergeSummaries, summarize } from "#quant/summary";

const gaussian = (n: number, seed: number): Float32Array => {
  const rng = createRng(seed);
  return Float32Array.from({ length: n }, () => normal(rng));
};
const use = { dtype: "uint8", symmetric: false } as const;
const rules: Record<keyof typeof observers, RangeRule> = {
  minmax: { by: "minmax" },
  average: { by: "average" },
  percentile: { by: "percentile", p: 99.9 },
  mse: { by: "mse" },
  entropy: { by: "entropy" },
  aciq: { by: "aciq" },
  octav: { by: "octav" },
};
const withOutlier = () => {
  const x = gaussian(100_000, 7);
  x[1234] = 60;
  return x;
};

describe.each(Object.entries(observers))("%s", (name, observer) => {
  const rule = rules[name as keyof typeof observers];

  test("spans at least one value of what it saw, and never more than all of it", () => {
    const summary = summarize(gaussian(5000, 3), true);
    const { low, high } = observer.range(summary, rule, use);
    expect(low).toBeLessThanOrEqual(high);
    expect(low).toBeGreaterThanOrEqual(Math.min(summary.min, 0));
    expect(high).toBeLessThanOrEqual(summary.max);
  });

  test("answers the same however the data arrived", () => {
    const x = gaussian(6000, 5);
    const parts = [x.subarray(0, 2000), x.subarray(2000, 4000), x.subarray(4000)].map((part) => summarize(part, true));
    const forward = observer.range(parts.reduce(mergeSummaries, emptySummary), rule, use);
    const backward = observer.range(parts.reverse().reduce(mergeSummaries, emptySummary), rule, use);
    expect(forward.low).toBeCloseTo(backward.low, 12);
    expect(forward.high).toBeCloseTo(backward.high, 12);
  });

  test("handles a constant, a single value and data on one side of zero", () => {
    for (const data of [[0, 0, 0], [5], [-3, -3], [0, 1, 2, 3]]) {
      const { low, high } = observer.range(summarize(data, true), rule, use);
      expect(Number.isFinite(low) && Number.isFinite(high) && low <= high).toBe(true);
    }
  });
});

// ONNX Runtime 1.30's Entropy keeps [−4.49, 60] and its Percentile ±59.97 here (peers.md §2.5 a, b)
describe("a planted 60σ outlier", () => {
  const summary = summarize(withOutlier(), true);
  // for mse at 8 bits one value in 100,000 is worth 52 of its 60σ; at 4 bits it is not
  test.each([
    ["percentile", "uint8"],
    ["mse", "uint4"],
    ["entropy", "uint8"],
    ["aciq", "uint8"],
  ] as const)("is clipped by %s for %s", (name, dtype) => {
    const { low, high } = observers[name].range(summary, rules[name], { dtype, symmetric: false });
    expect(high).toBeLessThan(12);
    expect(low).toBeLessThan(-2);
  });

  test("is kept by minmax, whose whole promise it is", () => {
    expect(observers.minmax.range(summary, rules.minmax, use).high).toBe(60);
  });

  test("is clipped by entropy at the default settings, for symmetric int8 too", () => {
    expect(observers.entropy.range(summary, rules.entropy, { dtype: "int8", symmetric: true }).high).toBeLessThan(12);
  });
});

test("mse's range has less error than every other observer's, for 4 and 8 bits, on bell-shaped, one-sided and outlier data", () => {
  for (const data of [gaussian(20_000, 1), gaussian(20_000, 2).map(Math.abs), withOutlier()]) {
    const summary = summarize(data, true);
    if (summary.histogram === undefined) throw new Error("no histogram");
    for (const target of [use, { dtype: "uint4", symmetric: false }, { dtype: "int8", symmetric: true }] as const) {
      const error = (name: keyof typeof observers) =>
        quantizationError(summary.histogram!, observers[name].range(summary, rules[name], target), target);
      for (const name of ["minmax", "percentile", "entropy", "aciq"] as const)
        expect(error("mse")).toBeLessThanOrEqual(error(name) * 1.001);
    }
  }
});

test("the closed-form clips solve their equations", () => {
  for (const [bits, { laplace, gauss }] of Object.entries(optimalClip)) {
    const levels = 3 * 4 ** Number(bits);
    expect(laplace * Math.exp(laplace)).toBeCloseTo(levels, -Math.log10(levels * 1e-4));
    // Gauss: α/(3·4ᴹ) = 2·(φ(α) − α·Q(α)), Q by midpoint integration to 12σ
    let tail = 0;
    const steps = 20_000;
    for (let i = 0; i < steps; i++) {
      const t = gauss + ((i + 0.5) * (12 - gauss)) / steps;
      tail += ((t - gauss) * Math.exp((-t * t) / 2) * (12 - gauss)) / steps;
    }
    expect(tail / Math.sqrt(2 * Math.PI) / (gauss / levels / 2)).toBeCloseTo(1, 3);
  }
});

test("statistics gathered in parts are kept whole: the range of four batches is the range of all", () => {
  // ONNX Runtime's CalibMaxIntermediateOutputs discards instead of merging (peers.md §2.5 c)
  const x = gaussian(4000, 9);
  const parts = [0, 1, 2, 3].map((k) => summarize(x.subarray(k * 1000, (k + 1) * 1000), true));
  const merged = parts.reduce(mergeSummaries, emptySummary);
  expect(merged.min).toBe(Math.min(...x));
  expect(merged.max).toBe(Math.max(...x));
  expect(merged.count).toBe(4000);
});
