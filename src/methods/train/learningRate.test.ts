import { expect, test } from "vitest";
import { learningRateAt, type Schedule } from "#methods/train/learningRate";

const over = (schedule: Schedule, steps = 8) =>
  Array.from({ length: steps }, (_, step) => learningRateAt(schedule, 1, step, { steps, stepsPerEpoch: 2 }));

test("a constant rate stays", () => {
  expect(over({ kind: "constant" })).toEqual(Array(8).fill(1));
});

test("warm-up rises to the full rate in equal steps, and the shape begins after it", () => {
  expect(over({ kind: "linear", warmupEpochs: 2 })).toEqual([0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25]);
});

test("a cosine begins level, is half at the middle, and ends level near 0", () => {
  const rates = over({ kind: "cosine" });
  expect(rates[0]).toBe(1);
  expect(rates[4]).toBeCloseTo(0.5, 12);
  expect(rates[7]).toBeCloseTo((1 + Math.cos((7 / 8) * Math.PI)) / 2, 12);
});

test("steps fall by a factor after so many epochs", () => {
  expect(over({ kind: "step", everyEpochs: 2, factor: 0.1 })).toEqual([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1]);
});
