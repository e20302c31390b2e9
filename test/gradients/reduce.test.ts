import { describe, test } from "vitest";
import { createNode } from "#model/attributes";
import { reduceGradients } from "#model/ops/gradients/reduce";
import { int64 } from "#model/tensor";
import { checkGradient, float64 } from "./checkGradient";

describe("what was reduced is spread out again", () => {
  const axes: readonly (readonly [axes: readonly number[], keepdims: number, dims: readonly number[]])[] = [
    [[1], 1, [2, 1, 4]],
    [[-1, 0], 0, [3]],
    [[], 0, []],
  ];
  const cases = Object.keys(reduceGradients).flatMap((op) => axes.map((each) => [op, ...each] as const));
  test.each(cases)("%s over %j, keepdims %i", (op, over, keepdims, dims) => {
    const x = float64([2, 3, 4], 1, 0.1);
    const positive = { ...x, data: Float64Array.from(x.data as Float64Array, Math.abs) };
    return checkGradient({
      nodes: [createNode(op, over.length === 0 ? ["x"] : ["x", "axes"], ["y"], { keepdims })],
      output: "y",
      inputs: { x: op === "ReduceLogSum" ? positive : x },
      weights: over.length === 0 ? {} : { axes: int64([over.length], over) },
      dims,
    });
  });
});
