import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { float32 } from "#model/tensor";
import { type Counts, judge, readScores } from "#report/scores";

function counted(values: readonly number[], target: number, offset = 0): Counts {
  const counts = { top1: 0, top5: 0, nll: 0 };
  const scores = readScores(float32([1, values.length], [...values]), offset, false);
  if (scores !== undefined) judge(scores, 0, target, counts);
  return counts;
}

function softmax(logits: readonly number[]): number[] {
  const exps = logits.map((z) => Math.exp(z - Math.max(...logits)));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((e) => e / sum);
}

describe("scores", () => {
  test("a model that ends in a softmax is judged as the one that does not", () => {
    const logits = fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(logits, fc.nat(), (z, n) => {
        const target = n % z.length;
        expect(counted(softmax(z), target).nll).toBeCloseTo(counted(z, target).nll, 3);
      }),
    );
  });

  test("classes before the data's first are not asked for", () => {
    // softmax over the last two of three: 1 / (1 + e)
    expect(counted([9, 1, 0], 1, 1).nll).toBeCloseTo(Math.log(1 + Math.E), 5);
    expect(counted(softmax([9, 1, 0]), 1, 1).nll).toBeCloseTo(Math.log(1 + Math.E), 3);
    expect(counted([9, 1, 0], 0, 1).top1).toBe(1);
  });

  test("of equal scores the first class is the answer", () => {
    expect(counted([1, 1, 0], 0).top1).toBe(1);
    expect(counted([1, 1, 0], 1)).toMatchObject({ top1: 0, top5: 1 });
  });
});
