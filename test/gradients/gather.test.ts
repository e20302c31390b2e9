import { describe, expect, test } from "vitest";
import { differentiate } from "#grad/differentiate";
import { type AttributeInit, createNode } from "#model/attributes";
import { int64, type Tensor } from "#model/tensor";
import { modelOf } from "../modelBuilder";
import { checkGradient, float64 } from "./checkGradient";

type Attributes = Readonly<Record<string, AttributeInit>>;

describe("what is read by index is added to where it was read", () => {
  const cases: readonly (readonly [
    op: string,
    shape: readonly number[],
    indices: Tensor,
    dims: readonly number[],
    Attributes,
  ])[] = [
    ["Gather", [4, 3], int64([2, 2], [1, 3, 1, -1]), [2, 2, 3], {}],
    ["Gather", [4, 3], { type: "int32", dims: [3], data: Int32Array.of(1, 3, 1) }, [3, 3], {}],
    ["Gather", [2, 4, 3], int64([3], [1, 0, 1]), [2, 3, 3], { axis: 1 }],
    ["Gather", [2, 3, 4], int64([2, 2], [1, -4, 1, 3]), [2, 3, 2, 2], { axis: -1 }],
    ["Gather", [2, 4, 3], int64([], [-2]), [2, 3], { axis: 1 }],
    ["Gather", [2, 4], int64([1], [3]), [2, 1], { axis: 1 }],
    ["GatherElements", [3, 4], int64([2, 4], [0, 1, 0, -1, 2, 1, 0, 0]), [2, 4], {}],
    ["GatherElements", [2, 3], int64([2, 4], [0, 0, 2, -1, 1, 1, 1, 0]), [2, 4], { axis: 1 }],
    ["GatherND", [3, 4, 2], int64([3, 2], [0, 1, 2, 3, 0, 1]), [3, 2], {}],
    ["GatherND", [2, 3, 2], int64([2, 2, 1], [0, 2, 1, 1]), [2, 2, 2], { batch_dims: 1 }],
  ];
  test.each(cases)("%s of %j", (op, shape, indices, dims, attributes) =>
    checkGradient({
      nodes: [createNode(op, ["x", "indices"], ["y"], attributes)],
      output: "y",
      inputs: { x: float64(shape) },
      weights: { indices },
      dims,
    }),
  );

  test("TopK, whose indices the model itself does not use", () =>
    checkGradient({
      nodes: [createNode("TopK", ["x", "k"], ["y"], { axis: 1, largest: 0 })],
      output: "y",
      inputs: { x: float64([3, 5]) },
      weights: { k: int64([1], [2]) },
      dims: [3, 2],
    }));
});

describe("what is written by index reads its gradient there", () => {
  test.each<[string, string, readonly number[], readonly number[]]>([
    ["ScatterElements", "none", [2, 3], [2, 2]],
    ["ScatterElements", "add", [2, 3], [2, 2]],
    ["ScatterND", "none", [4, 3], [2, 3]],
    ["ScatterND", "add", [4, 3], [2, 3]],
  ])("%s, reduction %s", (op, reduction, shape, updates) => {
    const axis: Attributes = op === "ScatterND" ? {} : { axis: 1 };
    return checkGradient({
      nodes: [createNode(op, ["x", "indices", "updates"], ["y"], { reduction, ...axis })],
      output: "y",
      inputs: { x: float64(shape, 1), updates: float64(updates, 2) },
      weights: { indices: op === "ScatterND" ? int64([2, 1], [3, 1]) : int64([2, 2], [2, 0, 1, -1]) },
      dims: shape,
    });
  });

  test("a product of updates has no rule, and says so", async () => {
    const model = modelOf({
      inputs: { x: ["float64", [3]] },
      outputs: ["loss"],
      weights: { indices: int64([1, 1], [1]), updates: float64([1]) },
      nodes: [
        createNode("ScatterND", ["x", "indices", "updates"], ["y"], { reduction: "mul" }),
        createNode("ReduceSum", ["y"], ["loss"], { keepdims: 0 }),
      ],
    });
    await expect(differentiate(model, "loss", ["x"])).rejects.toMatchObject({ code: "model/unsupported-operator" });
  });
});
