import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { dropMargin, wilsonInterval } from "#report/interval";

const z2 = 1.959963984540054 ** 2;

describe("the Wilson interval", () => {
  test("ends where the observed share is 1.96 standard deviations away", () => {
    for (const [share, n] of [
      [0.718, 1000],
      [0.5, 10],
      [0.02, 50],
      [0.93, 200],
    ]) {
      const { low, high } = wilsonInterval(share, n);
      for (const p of [low, high]) expect((share - p) ** 2).toBeCloseTo((z2 * p * (1 - p)) / n, 12);
      expect(low).toBeLessThan(share);
      expect(high).toBeGreaterThan(share);
    }
  });

  test("of 8 in 10 is what R's binom package prints: 0.4901625, 0.9433178", () => {
    const { low, high } = wilsonInterval(0.8, 10);
    expect([low, high].map((end) => end.toFixed(7))).toEqual(["0.4901625", "0.9433178"]);
  });

  test("of nothing or everything is still an interval, and of no samples says nothing", () => {
    expect(wilsonInterval(0, 10).low).toBe(0);
    expect(wilsonInterval(0, 10).high).toBeCloseTo(0.2775, 4);
    expect(wilsonInterval(1, 10).high).toBeCloseTo(1, 15);
    expect(wilsonInterval(0.5, 0)).toEqual({ low: 0, high: 1 });
    expect(wilsonInterval(Number.NaN, 10)).toEqual({ low: 0, high: 1 });
  });
});

describe("the margin of a drop", () => {
  test("holds the true drop at least 95 times in 100, on simulated pairs of models", () => {
    const rng = createRng("drop margin");
    // both right, only float right, only quantized right, both wrong and differently
    for (const [onlyFloat, onlyQuantized, otherwise] of [
      [0.05, 0.03, 0.02],
      [0.02, 0.005, 0],
      [0.2, 0.05, 0.1],
    ]) {
      const truth = onlyFloat - onlyQuantized;
      let held = 0;
      const runs = 400;
      const samples = 300;
      for (let run = 0; run < runs; run++) {
        let drop = 0;
        let differ = 0;
        for (let i = 0; i < samples; i++) {
          const u = rng.uniform();
          if (u < onlyFloat) drop++;
          else if (u < onlyFloat + onlyQuantized) drop--;
          if (u < onlyFloat + onlyQuantized + otherwise) differ++;
        }
        const margin = dropMargin(drop / samples, 1 - differ / samples, samples);
        if (Math.abs(drop / samples - truth) <= margin) held++;
      }
      expect(held / runs).toBeGreaterThanOrEqual(0.95);
    }
  });

  test("is not nothing when the models agree on all of few samples", () => {
    expect(dropMargin(0, 1, 20)).toBeGreaterThan(0.1);
    expect(dropMargin(0, 1, 50_000)).toBeLessThan(0.001);
  });
});
