import { describe, expect, test } from "vitest";
import { differentiate } from "#grad/differentiate";
import { createNode } from "#model/attributes";
import type { Tensor } from "#model/tensor";
import { modelOf } from "../modelBuilder";
import { float64 } from "./checkGradient";
import { checkOperator } from "./checkOperator";

const epsilon = { float: 0.01 };
const positive = (dims: readonly number[], seed: number): Tensor => {
  const { data } = float64(dims, seed, 0.5);
  return { type: "float64", dims, data: Float64Array.from(data as Float64Array, Math.abs) };
};

describe("normalization of batches", () => {
  const operands = (x: readonly number[]) => ({
    x: float64(x, 1),
    scale: float64([x[1]], 2),
    bias: float64([x[1]], 3),
  });
  const running = (channels: number) => ({ mean: float64([channels], 4), variance: positive([channels], 5) });
  const shapes = [
    [3, 2, 2, 3],
    [4, 3],
    [2, 2, 5],
  ];
  test.each(shapes)("by their own statistics, of [%i, %i, …]", (...x) =>
    checkOperator(
      "BatchNormalization",
      operands(x),
      { epsilon, training_mode: 1 },
      { fixed: running(x[1]), outputs: ["y", "running_mean", "running_variance"] },
    ),
  );
  test.each(shapes)("by given statistics, of [%i, %i, …]", (...x) =>
    checkOperator("BatchNormalization", operands(x), { epsilon }, { fixed: running(x[1]) }),
  );
  test("by given statistics that have gradients too", () =>
    checkOperator("BatchNormalization", { ...operands([2, 3, 2, 2]), ...running(3) }, { epsilon }));
});

describe("normalization of layers", () => {
  test.each([
    [[3, 4], -1, [4]],
    [[2, 3, 4], 1, [3, 4]],
    [[2, 3, 4], -1, [1]],
    [[2, 3, 4], 2, [3, 4]],
  ])("of %j from axis %i with scales %j", async (x, axis, scale) => {
    const inputs = { x: float64(x, 1), scale: float64(scale, 2), bias: float64(scale, 3) };
    await checkOperator("LayerNormalization", inputs, { axis, epsilon });
  });
  test.each([
    [[3, 4], -1, [4]],
    [[2, 3, 4], 1, [3, 4]],
  ])("by the square mean, of %j from axis %i", (x, axis, scale) =>
    checkOperator("RMSNormalization", { x: float64(x, 1), scale: float64(scale, 2) }, { axis, epsilon }, { opset: 23 }),
  );
  const skipped = { x: float64([2, 3, 4], 1), skip: float64([2, 3, 4], 2), gamma: float64([4], 3) };
  const domain = "com.microsoft";
  test("of a sum", () =>
    checkOperator(
      "SkipLayerNormalization",
      { ...skipped, beta: float64([4], 4), bias: float64([4], 5) },
      { epsilon },
      { domain },
    ));
  test("of a sum, with a bias but no beta", () =>
    checkOperator(
      "SkipLayerNormalization",
      { ...skipped, bias: float64([4], 5) },
      { epsilon },
      { domain, order: ["x", "skip", "gamma", "", "bias"] },
    ));
  test("of a sum by the square mean", () =>
    checkOperator("SkipSimplifiedLayerNormalization", { ...skipped, bias: float64([4], 5) }, { epsilon }, { domain }));
  test("of a sum that is read as well", () =>
    checkOperator("SkipLayerNormalization", skipped, { epsilon }, { domain, outputs: ["z", "", "", "y"] }));

  test("statistics as part of a loss are refused by name", async () => {
    const model = modelOf({
      inputs: { x: ["float32", [2, 4]], scale: ["float32", [4]] },
      outputs: ["loss"],
      nodes: [
        createNode("LayerNormalization", ["x", "scale"], ["y", "mean"]),
        createNode("ReduceSum", ["mean"], ["loss"], { keepdims: 0 }),
      ],
    });
    await expect(differentiate(model, "loss", ["x"])).rejects.toThrow("no gradient is known of LayerNormalization");
  });
});

describe("normalization of channels", () => {
  const operands = (x: readonly number[], scales: number) => ({
    x: float64(x, 1),
    scale: float64([scales], 2),
    bias: float64([scales], 3),
  });
  test("each by itself", () => checkOperator("InstanceNormalization", operands([2, 3, 2, 3], 3), { epsilon }));
  test("in groups", () => checkOperator("GroupNormalization", operands([2, 4, 3], 4), { epsilon, num_groups: 2 }));
  test("in groups with a scale each", () =>
    checkOperator("GroupNormalization", operands([2, 4, 3], 2), { epsilon, num_groups: 2 }, { opset: 18 }));
  test.each([
    [undefined, [2, 3, 2, 2]],
    [
      [0, 2],
      [3, 2, 4],
    ],
  ])("over axes %j, unscaled", (axes, x) =>
    checkOperator("MeanVarianceNormalization", { x: float64(x) }, axes === undefined ? {} : { axes }),
  );
  test.each([1, 2])("to norm p = %i", (p) =>
    checkOperator("LpNormalization", { x: float64([2, 3, 4], 1, 0.2) }, { p, axis: 1 }),
  );
  test.each([1, 3, 4])("by %i neighbours", (size) =>
    checkOperator(
      "LRN",
      { x: float64([2, 5, 2, 2]) },
      { size, alpha: { float: 0.5 }, beta: { float: 0.75 }, bias: { float: 1.5 } },
    ),
  );
});
