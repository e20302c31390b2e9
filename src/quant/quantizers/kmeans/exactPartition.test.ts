import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { exactPartition } from "#quant/quantizers/kmeans/exactPartition";
import { initialCentroids } from "#quant/quantizers/kmeans/initialCentroids";
import { lloyd } from "#quant/quantizers/kmeans/lloyd";
import { sortedPoints } from "#quant/sortedPoints";

/** Σ h·(x − mean)² of x[start … end − 1], in two passes. */
function stretchError(x: ArrayLike<number>, h: ArrayLike<number> | undefined, start: number, end: number): number {
  let weight = 0;
  let sum = 0;
  for (let i = start; i < end; i++) {
    weight += h?.[i] ?? 1;
    sum += (h?.[i] ?? 1) * x[i];
  }
  let error = 0;
  for (let i = start; i < end; i++) error += (h?.[i] ?? 1) * (x[i] - sum / weight) ** 2;
  return error;
}

/** The definition: least error over all ways to cut ascending values into k stretches, for k = 1 … clusters. O(K n³). */
function leastErrors(x: ArrayLike<number>, h: ArrayLike<number> | undefined, clusters: number): number[] {
  const n = x.length;
  let best = Float64Array.from({ length: n + 1 }, (_, j) => (j === 0 ? 0 : Number.POSITIVE_INFINITY));
  const errors: number[] = [];
  for (let k = 1; k <= clusters; k++) {
    const next = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
    for (let j = k; j <= n; j++)
      for (let i = k - 1; i < j; i++) next[j] = Math.min(next[j], best[i] + stretchError(x, h, i, j));
    best = next;
    errors.push(best[n]);
  }
  return errors;
}

function partitionError(x: Float32Array, importance: Float32Array | undefined, clusters: number): number {
  const points = sortedPoints(x, importance);
  const { values, weight } = points;
  const starts = exactPartition(points, clusters);
  expect(starts.length).toBe(clusters + 1);
  expect([starts[0], starts[clusters]]).toEqual([0, values.length]);
  const h = Float64Array.from(values, (_, i) => weight[i + 1] - weight[i]);
  let error = 0;
  for (let k = 0; k < clusters; k++) {
    expect(starts[k + 1]).toBeGreaterThan(starts[k]);
    error += stretchError(values, h, starts[k], starts[k + 1]);
  }
  return error;
}

const points = fc.oneof(
  fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }), { minLength: 1, maxLength: 24 }),
  // lattices: many partitions are equally good
  fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 1, maxLength: 24 }),
  fc.integer({ min: 1, max: 24 }).map((n) => Array.from({ length: n }, (_, i) => i)),
);

describe("the exact partition", () => {
  test("is as good as the best of all partitions, for every number of clusters", () => {
    fc.assert(
      fc.property(points, (list) => {
        const x = Float32Array.from(list).sort();
        const distinct = new Set(Array.from(x, (v) => v + 0)).size;
        const scale = 1 + x.reduce((sum, v) => sum + v * v, 0);
        leastErrors(x, undefined, distinct).forEach((least, k) => {
          expect(Math.abs(partitionError(x, undefined, k + 1) - least)).toBeLessThanOrEqual(1e-12 * scale);
        });
      }),
      { numRuns: 60 },
    );
  });

  test("weighs errors by importance", () => {
    fc.assert(
      fc.property(points, fc.integer(), (list, seed) => {
        const rng = createRng(seed);
        const x = Float32Array.from(new Set(list.map((v) => Math.fround(v) + 0))).sort();
        const h = x.map(() => rng.uniform() * 10 + 0.01);
        const scale = 10 * (1 + x.reduce((sum, v) => sum + v * v, 0));
        leastErrors(x, h, x.length).forEach((least, k) => {
          expect(Math.abs(partitionError(x, h, k + 1) - least)).toBeLessThanOrEqual(1e-12 * scale);
        });
      }),
      { numRuns: 40 },
    );
  });

  test("leaves out what has no importance", () => {
    const { values, weight } = sortedPoints(Float32Array.of(3, 1, 2, 1), Float32Array.of(1, 2, 0, 5));
    expect([...values]).toEqual([1, 3]);
    expect(weight[1] - weight[0]).toBe(7);
  });

  test("of equal steps has parts of equal size, give or take one", () => {
    const x = Float32Array.from({ length: 1000 }, (_, i) => i);
    for (const clusters of [2, 7, 16, 300, 999]) {
      const starts = exactPartition(sortedPoints(x), clusters);
      const sizes = new Set(Array.from({ length: clusters }, (_, k) => starts[k + 1] - starts[k]));
      for (const size of sizes) expect([Math.floor(1000 / clusters), Math.ceil(1000 / clusters)]).toContain(size);
    }
  });

  test("does not lose small numbers beside an outlier", () => {
    const x = Float32Array.from({ length: 40 }, (_, i) => (i < 39 ? Math.sin(i * 7) : 1e20));
    const inner = x.slice(0, 39).sort();
    expect(partitionError(x, undefined, 5)).toBeCloseTo(leastErrors(inner, undefined, 4)[3], 10);
  });

  test("is never worse than Lloyd's algorithm, wherever that starts, on 200 tensors", () => {
    for (let seed = 0; seed < 200; seed++) {
      const rng = createRng(seed);
      const tail = seed % 4;
      const x = Float32Array.from({ length: 20 + rng.below(600) }, () => normal(rng) ** (1 + tail));
      const clusters = 2 + rng.below(18);
      const sorted = sortedPoints(x);
      const exact = partitionError(x, undefined, clusters);
      for (const [name, start] of Object.entries(initialCentroids)) {
        const centroids = lloyd(sorted, start(sorted, clusters, rng));
        const error = x.reduce((sum, v) => sum + centroids.reduce((least, c) => Math.min(least, (v - c) ** 2), 1e9), 0);
        expect(exact, `seed ${seed}, ${name}`).toBeLessThanOrEqual(error * (1 + 1e-12));
      }
    }
  });

  test("of many points, priced on a thinned copy first, has the error of the slow definition's own recurrence", () => {
    const rng = createRng(3);
    const x = Float32Array.from({ length: 6000 }, () => normal(rng));
    const sorted = sortedPoints(x);
    // the same recurrence in O(K n²), over costs from the prefix sums
    const { weight, sum, square, values } = sorted;
    let best = Float64Array.from({ length: values.length + 1 }, (_, j) => (j === 0 ? 0 : Number.POSITIVE_INFINITY));
    for (let k = 0; k < 3; k++) {
      const next = new Float64Array(values.length + 1).fill(Number.POSITIVE_INFINITY);
      for (let j = 1; j <= values.length; j++) {
        for (let i = 0; i < j; i++) {
          const s = sum[j] - sum[i];
          const cost = best[i] + (square[j] - square[i] - (s * s) / (weight[j] - weight[i]));
          if (cost < next[j]) next[j] = cost;
        }
      }
      best = next;
    }
    expect(partitionError(x, undefined, 3) / best[values.length]).toBeCloseTo(1, 11);
  });
});
