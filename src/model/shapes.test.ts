import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { inferShapes } from "#model/shapes";
import { float32, int64, tensor } from "#model/tensor";
import { functionOf, graphOf, type ModelInit, modelOf } from "../../test/modelBuilder";

const known = async (init: ModelInit, name: string, inputShapes?: Record<string, number[]>) =>
  (await inferShapes(modelOf(init), inputShapes && { inputShapes })).get(name);

/** Splits the last axis into heads, as exporters write it: the sizes are read from the input's shape. */
const heads: ModelInit = {
  inputs: { x: ["float32", ["N", "S", 64]] },
  outputs: ["y"],
  weights: { zero: int64([1], [0]), one: int64([1], [1]), tail: int64([2], [4, 16]) },
  nodes: [
    createNode("Shape", ["x"], ["shape"]),
    createNode("Gather", ["shape", "zero"], ["n"]),
    createNode("Gather", ["shape", "one"], ["s"]),
    createNode("Concat", ["n", "s", "tail"], ["target"], { axis: 0 }),
    createNode("Reshape", ["x", "target"], ["y"]),
  ],
};

describe("shape inference", () => {
  test("symbols go through Shape, Gather, Concat and Reshape", async () => {
    expect((await known(heads, "target"))?.content).toEqual(["N", "S", 4, 16]);
    expect(await known(heads, "y")).toMatchObject({ element: "float32", shape: ["N", "S", 4, 16] });
  });

  test("a given input shape binds its symbols everywhere, and shapes become values", async () => {
    const y = await known(heads, "y", { x: [2, 7, 64] });
    expect(y?.shape).toEqual([2, 7, 4, 16]);
    expect((await known(heads, "target", { x: [2, 7, 64] }))?.value?.data).toEqual(BigInt64Array.of(2n, 7n, 4n, 16n));
  });

  test("a dim that the file leaves open has a symbol of its own", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", [null, 3]] },
      outputs: ["y"],
      nodes: [createNode("Relu", ["x"], ["y"])],
    };
    expect((await known(init, "y"))?.shape).toEqual(["x.0", 3]);
  });

  test("an operator that nobody knows leaves its outputs unknown and the rest goes on", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", [2, 3]] },
      outputs: ["z"],
      nodes: [
        createNode("Magic", ["x"], ["y"], {}, { domain: "org.nobody" }),
        createNode("Concat", ["x", "x"], ["z"], { axis: 0 }),
      ],
    };
    expect(await known(init, "y")).toEqual({ element: undefined, shape: undefined });
    expect((await known(init, "z"))?.shape).toEqual([4, 3]);
    expect(await known({ ...init, values: { y: ["int8", [5]] } }, "y")).toMatchObject({ element: "int8", shape: [5] });
  });

  test("what a file says of its values is not believed once it was wrong", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", ["N", 3]] },
      outputs: ["z"],
      nodes: [createNode("Relu", ["x"], ["a"]), createNode("Magic", ["a"], ["z"], {}, { domain: "org.nobody" })],
      values: { a: ["float32", [1, 3]], z: ["float32", [1, 3]] },
    };
    expect((await known(init, "a"))?.shape).toEqual(["N", 3]);
    expect((await known(init, "z"))?.shape).toEqual([null, null]);
  });

  test("a node that makes no sense costs only its own outputs", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", [2, 3]] },
      outputs: ["z"],
      nodes: [createNode("Concat", ["x", "x"], ["y"], { axis: "second" }), createNode("Transpose", ["x"], ["z"])],
    };
    expect((await known(init, "y"))?.shape).toBeUndefined();
    expect((await known(init, "z"))?.shape).toEqual([3, 2]);
  });

  test("integers stay exact where exporters write the largest of them", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", ["N", 9]] },
      outputs: ["y"],
      weights: {
        start: int64([1], [2]),
        end: int64([1], [2n ** 63n - 1n]),
        axis: int64([1], [1]),
        zero: int64([1], [0]),
      },
      nodes: [
        createNode("Identity", ["end"], ["far"]),
        createNode("Slice", ["x", "start", "far", "axis"], ["y"]),
        createNode("Slice", ["x", "zero", "far", "zero"], ["whole"]),
      ],
    };
    expect((await known(init, "far"))?.value?.data).toEqual(BigInt64Array.of(2n ** 63n - 1n));
    expect((await known(init, "y"))?.shape).toEqual(["N", 7]);
    expect((await known(init, "whole"))?.shape).toEqual(["N", 9]);
  });

  test("both branches of an If must agree on what is said of its output", async () => {
    const branch = (size: number) =>
      graphOf({ outputs: ["r"], nodes: [createNode("Expand", ["x", `to${size}`], ["r"])] });
    const init: ModelInit = {
      inputs: { x: ["float32", [1, 1]], c: ["bool", []] },
      outputs: ["y"],
      weights: { to4: int64([2], [2, 4]), to5: int64([2], [2, 5]) },
      nodes: [createNode("If", ["c"], ["y"], { then_branch: { graph: branch(4) }, else_branch: { graph: branch(5) } })],
    };
    expect((await known(init, "y"))?.shape).toEqual([2, null]);
    const constant = {
      ...init,
      inputs: { x: ["float32", [1, 1]] },
      weights: { ...init.weights, c: tensor("bool", [], Uint8Array.of(0)) },
    } as const;
    expect((await known(constant, "y"))?.shape).toEqual([2, 5]);
  });

  test("a loop that grows its state says only what holds in every iteration", async () => {
    const body = graphOf({
      inputs: ["i", "go", "s"],
      outputs: ["go", "t", "s"],
      nodes: [createNode("Concat", ["s", "x"], ["t"], { axis: 0 })],
    });
    const init: ModelInit = {
      inputs: { x: ["float32", [1, 3]], n: ["int64", []] },
      outputs: ["y"],
      nodes: [createNode("Loop", ["n", "", "x"], ["y", "all"], { body: { graph: body } })],
    };
    expect((await known(init, "y"))?.shape).toEqual([null, 3]);
    expect((await known(init, "all"))?.shape).toEqual([null, null, 3]);
  });

  test("functions are looked into, with the attributes of the call", async () => {
    const cut = functionOf(
      "Cut",
      ["x"],
      ["y"],
      [
        {
          ...createNode("Concat", ["x", "x"], ["y"]),
          attributes: new Map([["axis", { kind: "reference", value: "axis", type: 2 }]]),
        },
      ],
    );
    const init: ModelInit = {
      inputs: { x: ["float32", [2, 3]] },
      outputs: ["y"],
      functions: [cut],
      nodes: [createNode("Cut", ["x"], ["y"], { axis: 1 }, { domain: "local" })],
    };
    expect((await known(init, "y"))?.shape).toEqual([2, 6]);
  });

  test("a function that calls itself is not followed", async () => {
    const loop = functionOf("Loop", ["x"], ["y"], [createNode("Loop", ["x"], ["y"], {}, { domain: "local" })]);
    const init: ModelInit = {
      inputs: { x: ["float32", [2]] },
      outputs: ["y"],
      functions: [loop],
      nodes: [createNode("Loop", ["x"], ["y"], {}, { domain: "local" })],
    };
    expect((await known(init, "y"))?.shape).toBeUndefined();
  });

  test("nothing big is computed: a file may ask for gigabytes in a few bytes", async () => {
    const init: ModelInit = {
      outputs: ["y"],
      weights: { shape: int64([2], [2 ** 31, 8]), one: float32([], [1]), n: float32([], [2 ** 40]) },
      nodes: [createNode("ConstantOfShape", ["shape"], ["y"]), createNode("Range", ["one", "n", "one"], ["r"])],
    };
    const shapes = await inferShapes(modelOf(init));
    expect(shapes.get("y")).toEqual({ element: "float32", shape: [2 ** 31, 8] });
    expect(shapes.get("r")?.shape).toEqual([2 ** 40 - 1]);
  });
});
