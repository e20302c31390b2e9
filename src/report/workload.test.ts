import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { float32, fromNumbers, int64 } from "#model/tensor";
import { countWork } from "#report/workload";
import { functionOf, graphOf, modelOf } from "../../test/modelBuilder";

const zeros = (dims: readonly number[]) =>
  float32(
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 0),
  );

describe("the work of an inference", () => {
  test("a convolution and what it moves", async () => {
    const model = modelOf({
      inputs: { image: ["float32", ["N", 3, 8, 8]] },
      outputs: ["y"],
      nodes: [createNode("Conv", ["image", "w", "b"], ["c"], { pads: [1, 1, 1, 1] }), createNode("Relu", ["c"], ["y"])],
      weights: { w: zeros([4, 3, 3, 3]), b: zeros([4]) },
    });
    const { steps, assumed } = await countWork(model);
    // 4·8·8 results of 27 products; a bias and a comparison each
    expect(steps).toMatchObject([
      { macs: 256 * 27, flops: 512, weightBytes: 4 * (108 + 4), activationBytes: 4 * (192 + 256) },
    ]);
    expect(assumed).toEqual([]);
    const batch = await countWork(model, { inputShapes: { image: [5, 3, 8, 8] } });
    expect(batch.steps[0].macs).toBe(5 * 256 * 27);
  });

  test("sizes that nobody gives are taken and told", async () => {
    const model = modelOf({
      inputs: { image: ["float32", ["batch", 3, "height", "width"]], ids: ["int64", ["batch", "length"]] },
      outputs: ["y", "z"],
      nodes: [createNode("Relu", ["image"], ["y"]), createNode("Neg", ["ids"], ["z"])],
    });
    const { steps, assumed } = await countWork(model);
    expect(assumed).toEqual(["image [1, 3, 224, 224]", "ids [1, 1]"]);
    expect(steps.map(({ flops }) => flops)).toEqual([3 * 224 * 224, 1]);
    const given = await countWork(model, { inputShapes: { ids: [2, 7] } });
    expect(given.assumed).toEqual(["image [2, 3, 224, 224]"]);
  });

  test("of a table only the rows that are looked up, of a reshape nothing", async () => {
    const model = modelOf({
      inputs: { ids: ["int64", [3]] },
      outputs: ["y"],
      nodes: [createNode("Gather", ["table", "ids"], ["g"]), createNode("Reshape", ["g", "flat"], ["y"])],
      weights: { table: zeros([1000, 16]), flat: int64([1], [48]) },
    });
    const { steps } = await countWork(model);
    expect(steps).toMatchObject([
      { weightBytes: 3 * 16 * 4, activationBytes: 3 * 8 + 3 * 16 * 4 },
      { weightBytes: 0, activationBytes: 0 },
    ]);
  });

  test("calls are unfolded, of branches the larger counts, loops as often as they run", async () => {
    const product = functionOf("Product", ["a"], ["p"], [createNode("MatMul", ["a", "a"], ["p"])]);
    const call = (from: string, to: string) => createNode("Product", [from], [to], {}, { domain: "local" });
    const body = graphOf({
      inputs: { i: ["int64", []], on: ["bool", []], v: ["float32", [4, 4]] },
      outputs: ["on", "w"],
      nodes: [call("v", "w")],
    });
    const model = modelOf({
      inputs: { x: ["float32", [4, 4]], c: ["bool", []] },
      outputs: ["e", "l"],
      functions: [product],
      nodes: [
        call("x", "once"),
        createNode("If", ["c"], ["e"], {
          then_branch: { graph: graphOf({ outputs: ["t"], nodes: [call("once", "t1"), call("t1", "t")] }) },
          else_branch: { graph: graphOf({ outputs: ["n"], nodes: [createNode("Neg", ["once"], ["n"])] }) },
        }),
        createNode("Loop", ["trips", "", "x"], ["l"], { body: { graph: body } }),
      ],
      weights: { trips: int64([], [10]) },
    });
    const { steps, assumed } = await countWork(model);
    expect(steps.reduce((sum, { macs, times }) => sum + macs * times, 0)).toBe(64 * (1 + 2 + 10));
    expect(assumed).toEqual([]);
  });

  test("an operator nobody knows is told, not guessed", async () => {
    const model = modelOf({
      inputs: { x: ["float32", [4]] },
      outputs: ["y"],
      nodes: [createNode("Magic", ["x"], ["y"], {}, { domain: "abc" })],
    });
    expect((await countWork(model)).uncounted).toEqual([
      "Magic: no operator that lowbit knows",
      "Magic y: the size of y is not known",
    ]);
  });

  test("an 8-bit model moves a quarter", async () => {
    const weights = {
      s: float32([], [0.1]),
      z: fromNumbers("uint8", [], [0]),
      w: fromNumbers(
        "int8",
        [4, 3, 3, 3],
        Array.from({ length: 108 }, () => 1),
      ),
    };
    const model = modelOf({
      inputs: { x: ["uint8", [1, 3, 8, 8]] },
      outputs: ["y"],
      nodes: [
        createNode("DequantizeLinear", ["x", "s", "z"], ["d"]),
        createNode("DequantizeLinear", ["w", "s"], ["wd"]),
        createNode("Conv", ["d", "wd"], ["c"]),
        createNode("QuantizeLinear", ["c", "s", "z"], ["y"]),
      ],
      weights,
    });
    const { steps } = await countWork(model);
    expect(steps).toMatchObject([
      // weights, one scale (it reads it once), one zero point
      { macs: 144 * 27, flops: 0, rescaling: 2 * 144, weightBytes: 108 + 4 + 1, activationBytes: 192 + 144 },
    ]);
  });
});
