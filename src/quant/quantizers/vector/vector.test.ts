import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { dequantize } from "#quant/dequantize";
import { quantizeMatrix, tensorScheme } from "#quant/quantizers/index";
import { clusterVectors } from "#quant/quantizers/vector/clusterVectors";
import { nearestEntries } from "#quant/quantizers/vector/nearestEntries";
import { bitsPerWeight } from "#quant/storedBits";
import type { Matrix } from "#quant/types";

function gauss(rows: number, columns: number, seed = 1): Matrix {
  const rng = createRng(seed);
  return { values: Float32Array.from({ length: rows * columns }, () => normal(rng)), rows, columns };
}

function meanError(x: Matrix, scheme: string, importance?: Float32Array): number {
  const back = dequantize(quantizeMatrix(x, scheme, { importance, rng: createRng(1) }));
  const h = (i: number): number => importance?.[importance.length === x.columns ? i % x.columns : i] ?? 1;
  return x.values.reduce((sum, v, i) => sum + h(i) * (v - back[i]) ** 2, 0) / x.values.length;
}

describe("nearest entries", () => {
  test("are those of the definition, weighted or not, whatever the length", () => {
    const arbitrary = fc.record({
      length: fc.integer({ min: 1, max: 9 }),
      entries: fc.integer({ min: 1, max: 20 }),
      // more than are laid out at a time
      count: fc.constantFrom(1, 40, 700),
      weighted: fc.boolean(),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(arbitrary, ({ length, entries, count, weighted, seed }) => {
        const { values } = gauss(count, length, seed);
        const book = gauss(entries, length, seed + 1).values;
        const importance = weighted ? gauss(count, length, seed + 2).values.map(Math.abs) : undefined;
        const codes = new Uint8Array(count);
        const errors = new Float64Array(count);
        const total = nearestEntries({ values, importance, length }, book, codes, errors);
        let sum = 0;
        for (let v = 0; v < count; v++) {
          const all = Array.from({ length: entries }, (_, e) => {
            let error = 0;
            for (let i = 0; i < length; i++)
              error += (importance?.[v * length + i] ?? 1) * (values[v * length + i] - book[e * length + i]) ** 2;
            return error;
          });
          const least = Math.min(...all);
          expect(all[codes[v]]).toBeCloseTo(least, 10);
          expect(errors[v]).toBeCloseTo(least, 10);
          sum += least;
        }
        expect(total).toBeCloseTo(sum, 8);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a codebook", () => {
  test("finds clusters that are there, each its mean", () => {
    const rng = createRng(4);
    const centers = Array.from({ length: 12 }, () => [normal(rng) * 50, normal(rng) * 50, normal(rng) * 50]);
    const values = Float32Array.from(
      { length: 600 },
      (_, i) => centers[Math.floor(i / 3) % 12][i % 3] + normal(rng) / 100,
    );
    const book = clusterVectors({ values, importance: undefined, length: 3 }, 12, createRng(2));
    for (const center of centers) {
      const distances = Array.from({ length: 12 }, (_, e) =>
        center.reduce((sum, c, i) => sum + Math.abs(c - book[e * 3 + i]), 0),
      );
      expect(Math.min(...distances)).toBeLessThan(0.05);
    }
  });

  test("holds every vector when there are no more than entries", () => {
    expect(meanError(gauss(8, 16), "vq:4x32")).toBe(0);
  });

  test("of numbers, vectors of one, comes near the exact optimum and never below", () => {
    const x = gauss(40, 50);
    const exact = meanError(x, "kmeans:16");
    const clustered = meanError(x, "vq:1x16");
    expect(clustered).toBeGreaterThanOrEqual(exact * (1 - 1e-6));
    expect(clustered).toBeLessThan(exact * 1.25);
  });
});

describe("vector codes", () => {
  test("of two bits a weight beat the best scalar code on Gaussian weights, 0.1175 (Lloyd–Max), also on new ones", () => {
    const vectors = (seed: number) => ({ values: gauss(16384, 4, seed).values, importance: undefined, length: 4 });
    const book = clusterVectors(vectors(1), 256, createRng(1));
    const fresh = vectors(2);
    const error = nearestEntries(fresh, book, new Uint8Array(16384)) / fresh.values.length;
    expect(error).toBeLessThan(0.1175 * 0.9);
    // by Shannon no code of two bits leaves less than 2⁻⁴
    expect(error).toBeGreaterThan(1 / 16);
  });

  test("put fewer errors where they matter", () => {
    const x = gauss(64, 64);
    const importance = Float32Array.from({ length: 64 }, (_, i) => (i % 4 === 0 ? 100 : 1));
    const plain = dequantize(quantizeMatrix(x, "vq:4x32", { rng: createRng(1) }));
    const unweighted =
      x.values.reduce((sum, v, i) => sum + importance[i % 64] * (v - plain[i]) ** 2, 0) / x.values.length;
    expect(meanError(x, "vq:4x32", importance)).toBeLessThan(0.5 * unweighted);
  });

  test("with a book for each group of columns follow columns that differ", () => {
    const { values, ...size } = gauss(128, 16);
    const x = { ...size, values: values.map((v, i) => (i % 16 < 8 ? v : v + 20)) };
    // one book needs twice the entries, and so longer codes, for what two books of half the size do
    expect(meanError(x, "pq:4x16/groups:2")).toBeLessThan(1.1 * meanError(x, "vq:4x32"));
    const bits = (scheme: string): number => bitsPerWeight(quantizeMatrix(x, scheme, { rng: createRng(1) }));
    expect(bits("vq:4x32") - bits("pq:4x16/groups:2")).toBeCloseTo(0.25, 5);
  });

  test("by default have as many books as take a quarter of the codes' bits at most", () => {
    // 1,024 rows of 16 vectors, 4 bits each: 65,536 bits; a book takes 16 × 4 × 32 = 2,048
    const q = quantizeMatrix(gauss(1024, 64), "pq:4x16", { rng: createRng(1) });
    if (q.decoding.kind !== "codebook") throw new Error("codebook expected");
    expect(q.decoding.stages[0].books).toBe(8);
  });

  test("in stages leave less with every stage", () => {
    const x = gauss(64, 64);
    const errors = [1, 2, 3, 4].map((stages) => meanError(x, `rvq:4x16x${stages}`));
    errors.slice(1).forEach((error, i) => expect(error).toBeLessThan(0.75 * errors[i]));
    expect(meanError(x, "vq:4x16")).toBe(errors[0]);
  });
});

describe("what vectors cannot do", () => {
  test.each([
    ["vq:5x16", 4, 64, "lengths that do: 1, 2, 4, 8, 16, 32, 64"],
    ["pq:4x16/groups:3", 16, 64, "numbers that do: 1, 2, 4, 8, 16"],
    ["vq:4x256", 4, 64, "more than the 64 vectors"],
    ["pq:4x16/groups:16", 4, 64, "more than the 4 vectors"],
    ["rvq:4x256x2", 4, 64, "64 entries and fewer"],
    ["kmeans:16/channel", 4, 9, "kmeans:9 and smaller would fit"],
    ["kmeans:16/group:8", 4, 64, "more than the 8 weights"],
  ])("%s of %i × %i is refused, and told before", (scheme, rows, columns, why) => {
    const { quantizer, scheme: wish } = tensorScheme(scheme);
    expect(quantizer.unfit?.(rows, columns, wish)).toContain(why);
    const refusal = expect.objectContaining({ code: "quant/scheme", message: expect.stringContaining(why) });
    expect(() => quantizeMatrix(gauss(rows, columns), scheme, { rng: createRng(1) })).toThrow(refusal);
  });

  test("what does not exist is refused", () => {
    for (const scheme of [
      "vq:4",
      "vq:4x1",
      "vq:4x8192",
      "vq:0x4",
      "vq:4x16x2",
      "vq:4x16/opq",
      "rvq:4x16",
      "rvq:4x16x9",
    ])
      expect(() => tensorScheme(scheme), scheme).toThrow(expect.objectContaining({ code: "usage/scheme" }));
  });
});
