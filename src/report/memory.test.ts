import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import type { Node } from "#model/model";
import { float32, fromNumbers } from "#model/tensor";
import { compareMemory, memoryUse } from "#report/memory";
import { graphOf, type ModelInit, modelOf } from "../../test/modelBuilder";

const zeros = (dims: readonly number[]) =>
  float32(
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 0),
  );
const of = (nodes: readonly Node[], outputs: readonly string[], more: Partial<ModelInit> = {}) =>
  memoryUse(modelOf({ inputs: { x: ["float32", [100]] }, outputs, nodes, ...more }));

describe("memory of an inference", () => {
  test("of a chain the largest step counts: what it reads and what it writes", async () => {
    const found = await of(
      [
        createNode("Tile", ["x", "three"], ["a"]),
        createNode("Tile", ["a", "three"], ["b"]),
        createNode("ReduceSum", ["b"], ["y"], { keepdims: 0 }),
      ],
      ["y"],
      {
        weights: { three: fromNumbers("int64", [1], [3]) },
      },
    );
    expect(found).toMatchObject({
      weightBytes: 8,
      activationBytes: 4 * (300 + 900),
      peakAt: "b",
      totalBytes: 8 + 4800,
    });
  });

  test("a residual value is held until it is added", async () => {
    const found = await of(
      [
        createNode("Tile", ["x", "one"], ["a"]),
        createNode("Tile", ["a", "one"], ["b"]),
        createNode("Sum", ["x", "b"], ["y"]),
      ],
      ["y"],
      {
        weights: { one: fromNumbers("int64", [1], [1]) },
      },
    );
    // x, a and b at once
    expect(found.activationBytes).toBe(3 * 400);
  });

  test("elementwise results take the place of what dies, and views share it", async () => {
    expect(
      (await of([createNode("Relu", ["x"], ["a"]), createNode("Tanh", ["a"], ["y"])], ["y"])).activationBytes,
    ).toBe(400);
    expect(
      (
        await of(
          [createNode("Relu", ["x"], ["a"]), createNode("Reshape", ["a", "d"], ["b"]), createNode("Neg", ["b"], ["y"])],
          ["y"],
          { weights: { d: fromNumbers("int64", [2], [10, 10]) } },
        )
      ).activationBytes,
    ).toBe(400);
    // x is read again, so its place is not free
    expect(
      (await of([createNode("Relu", ["x"], ["a"]), createNode("Sum", ["x", "a"], ["y"])], ["y"])).activationBytes,
    ).toBe(3 * 400);
  });

  test("outputs live to the end, unread results not at all", async () => {
    const nodes = [
      createNode("Tile", ["x", "one"], ["y"]),
      createNode("Tile", ["x", "one"], ["gone"]),
      createNode("Tile", ["x", "one"], ["z"]),
    ];
    expect((await of(nodes, ["y", "z"], { weights: { one: fromNumbers("int64", [1], [1]) } })).activationBytes).toBe(
      3 * 400,
    );
  });

  test("a subgraph adds its own peak to what is alive around it", async () => {
    const branch = graphOf({
      outputs: ["t"],
      nodes: [createNode("Tile", ["x", "two"], ["i"]), createNode("ReduceSum", ["i"], ["t"], { keepdims: 0 })],
    });
    const found = await of(
      [
        createNode("Tile", ["x", "one"], ["a"]),
        createNode("If", ["c"], ["s"], { then_branch: { graph: branch }, else_branch: { graph: branch } }),
        createNode("Mul", ["a", "s"], ["y"]),
      ],
      ["y"],
      {
        inputs: { x: ["float32", [100]], c: ["bool", []] },
        weights: { one: fromNumbers("int64", [1], [1]), two: fromNumbers("int64", [1], [2]) },
      },
    );
    // x, a, the condition, and inside: 200 elements and their sum; the sum also as the result
    expect(found.activationBytes).toBe(400 + 400 + 1 + 800 + 4 + 4);
  });

  const layer = (kind: "float" | "int8" | "at load") =>
    modelOf({
      inputs: { x: [kind === "int8" ? "uint8" : "float32", [1, 8, 4, 4]] },
      outputs: ["y"],
      nodes:
        kind === "float"
          ? [createNode("Conv", ["x", "w"], ["y"])]
          : kind === "int8"
            ? [
                createNode("DequantizeLinear", ["x", "s", "z"], ["d"]),
                createNode("DequantizeLinear", ["w", "s"], ["wd"]),
                createNode("Conv", ["d", "wd"], ["c"]),
                createNode("QuantizeLinear", ["c", "s", "z"], ["y"]),
              ]
            : [
                createNode("Cast", ["w"], ["f"], { to: 1 }),
                createNode("Mul", ["f", "s"], ["wd"]),
                createNode("Conv", ["x", "wd"], ["y"]),
              ],
      weights: {
        w:
          kind === "float"
            ? zeros([8, 8, 3, 3])
            : fromNumbers(
                "int8",
                [8, 8, 3, 3],
                Array.from({ length: 576 }, () => 1),
              ),
        ...(kind === "float" ? {} : { s: float32([], [1]) }),
        ...(kind === "int8" ? { z: fromNumbers("uint8", [], [0]) } : {}),
      },
    });

  test("codes between kernels take a byte an element, weights decoded at load four", async () => {
    expect(await memoryUse(layer("float"))).toMatchObject({ weightBytes: 2304, activationBytes: 4 * (128 + 32) });
    expect(await memoryUse(layer("int8"))).toMatchObject({ weightBytes: 576 + 4 + 1, activationBytes: 128 + 32 });
    expect(await memoryUse(layer("at load"))).toMatchObject({ weightBytes: 2304, activationBytes: 4 * (128 + 32) });
  });

  test("the report says what was counted, and that it is modelled", async () => {
    expect(await compareMemory(layer("float"), layer("int8"))).toEqual({
      label: "modelled",
      what: "weights + peak activations, batch 1",
      floatBytes: 2304 + 640,
      quantizedBytes: 581 + 160,
    });
    expect((await compareMemory(layer("float"), layer("at load"), { inputShapes: { x: [2, 8, 4, 4] } })).what).toBe(
      "weights + peak activations, batch 2",
    );
  });

  test("sizes nobody knows count as nothing and are told", async () => {
    const found = await of(
      [createNode("Magic", ["x"], ["a"], {}, { domain: "abc" }), createNode("Relu", ["a"], ["y"])],
      ["y"],
    );
    expect(found.uncounted).toEqual(["a", "y"]);
    expect(found.activationBytes).toBe(400);
  });
});
