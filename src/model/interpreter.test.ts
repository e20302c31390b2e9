import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { interpret } from "#model/interpreter";
import type { Attribute, Node } from "#model/model";
import type { Tensors } from "#model/session";
import { float32, int64, tensor } from "#model/tensor";
import { functionOf, graphOf, type ModelInit, modelOf } from "../../test/modelBuilder";

const run = async (init: ModelInit, feeds: Tensors = {}, fetches?: readonly string[]) =>
  (await interpret(modelOf(init))).run(feeds, fetches && { fetches });
const bool = (value: boolean) => tensor("bool", [], Uint8Array.of(value ? 1 : 0));
const reference = (value: string, type: number): Attribute => ({ kind: "reference", value, type });
const local = (op: string, inputs: string[], outputs: string[], attributes = {}) =>
  createNode(op, inputs, outputs, attributes, { domain: "local" });

describe("running a graph", () => {
  test("values in the middle may be fetched, and what they do not need is not run", async () => {
    const init: ModelInit = {
      inputs: ["x"],
      outputs: ["z"],
      nodes: [createNode("Abs", ["x"], ["y"]), createNode("Reshape", ["y", "y"], ["z"])],
    };
    expect(await run(init, { x: float32([2], [-1, 2]) }, ["y"])).toEqual({ y: float32([2], [1, 2]) });
    await expect(run(init, { x: float32([2], [-1, 2]) })).rejects.toMatchObject({
      code: "model/shape",
      at: { op: "Reshape" },
    });
  });

  test("nodes out of order run in order", async () => {
    const init: ModelInit = {
      inputs: ["x"],
      outputs: ["z"],
      nodes: [createNode("Neg", ["y"], ["z"]), createNode("Abs", ["x"], ["y"])],
    };
    expect((await run(init, { x: float32([1], [-3]) })).z).toEqual(float32([1], [-3]));
  });

  test("an input with a default need not be fed", async () => {
    const init: ModelInit = {
      inputs: ["x", "w"],
      outputs: ["y"],
      weights: { w: float32([1], [5]) },
      nodes: [createNode("Add", ["x", "w"], ["y"])],
    };
    expect((await run(init, { x: float32([1], [1]) })).y.data).toEqual(Float32Array.of(6));
    expect((await run(init, { x: float32([1], [1]), w: float32([1], [2]) })).y.data).toEqual(Float32Array.of(3));
  });

  test("a value that nothing gives is named", async () => {
    const init: ModelInit = { inputs: ["x"], outputs: ["y"], nodes: [createNode("Add", ["x", "w"], ["y"])] };
    await expect(run(init, { x: float32([1], [1]) })).rejects.toMatchObject({
      code: "model/missing-tensor",
      at: { tensor: "w" },
    });
    await expect(run(init)).rejects.toMatchObject({ code: "model/missing-tensor", at: { tensor: "x" } });
  });

  test("the callback sees every node, down to subgraphs and functions, and can stop the run", async () => {
    const body = graphOf({ inputs: ["i", "go", "s"], outputs: ["go", "t"], nodes: [local("Twice", ["s"], ["t"])] });
    const init: ModelInit = {
      inputs: ["x"],
      outputs: ["y"],
      weights: { n: int64([], [3]) },
      functions: [functionOf("Twice", ["a"], ["b"], [createNode("Add", ["a", "a"], ["b"])])],
      nodes: [createNode("Loop", ["n", "", "x"], ["y"], { body: { graph: body } })],
    };
    const seen: string[] = [];
    const interpreter = await interpret(modelOf(init));
    const { y } = interpreter.run({ x: float32([1], [1]) }, { beforeNode: ({ op }) => seen.push(op) });
    expect(y.data).toEqual(Float32Array.of(8));
    expect(seen).toEqual(["Loop", "Twice", "Add", "Twice", "Add", "Twice", "Add"]);
    const stop = (node: Node): void => {
      if (node.op === "Add") throw new Error("enough");
    };
    expect(() => interpreter.run({ x: float32([1], [1]) }, { beforeNode: stop })).toThrow("enough");
  });
});

describe("subgraphs", () => {
  test("see the values around them, at any depth, and hide what they define", async () => {
    const inner = graphOf({ outputs: ["r"], nodes: [createNode("Add", ["x", "own"], ["r"])] });
    const outer = graphOf({
      outputs: ["r"],
      weights: { own: float32([1], [10]) },
      nodes: [createNode("If", ["c"], ["r"], { then_branch: { graph: inner }, else_branch: { graph: inner } })],
    });
    const init: ModelInit = {
      inputs: ["x", "c"],
      outputs: ["y"],
      nodes: [createNode("If", ["c"], ["y"], { then_branch: { graph: outer }, else_branch: { graph: outer } })],
    };
    expect((await run(init, { x: float32([1], [1]), c: bool(true) })).y.data).toEqual(Float32Array.of(11));
  });

  test("a value that only a subgraph reads is kept until it is read", async () => {
    const branch = graphOf({ outputs: ["r"], nodes: [createNode("Neg", ["a"], ["r"])] });
    const init: ModelInit = {
      inputs: ["x", "c"],
      outputs: ["y"],
      nodes: [
        createNode("Abs", ["x"], ["a"]),
        createNode("Exp", ["a"], ["b"]),
        createNode("If", ["c"], ["n"], { then_branch: { graph: branch }, else_branch: { graph: branch } }),
        createNode("Add", ["b", "n"], ["y"]),
      ],
    };
    expect((await run(init, { x: float32([1], [0]), c: bool(true) })).y.data).toEqual(Float32Array.of(1));
  });

  test("a loop ends by its condition, and what it collected of no iteration is empty", async () => {
    const body = graphOf({
      inputs: ["i", "go", "s"],
      outputs: ["on", "t", "t2"],
      weights: { limit: float32([], [20]) },
      nodes: [
        createNode("Add", ["s", "s"], ["t"]),
        createNode("Identity", ["t"], ["t2"]),
        createNode("Less", ["t", "limit"], ["on"]),
      ],
    });
    const init: ModelInit = {
      inputs: ["x", "n"],
      outputs: ["y", "all"],
      nodes: [createNode("Loop", ["n", "", "x"], ["y", "all"], { body: { graph: body } })],
    };
    const endless = await run(init, { x: float32([], [3]), n: int64([], [2n ** 62n]) });
    expect(endless.y.data).toEqual(Float32Array.of(24));
    expect(endless.all).toEqual(float32([3], [6, 12, 24]));
    expect((await run(init, { x: float32([], [3]), n: int64([], [0]) })).all.dims).toEqual([0]);
  });

  test("a scan may read and write its sequences backwards, along any axis", async () => {
    const body = graphOf({
      inputs: ["s", "e"],
      outputs: ["t", "o"],
      nodes: [createNode("Add", ["s", "e"], ["t"]), createNode("Identity", ["t"], ["o"])],
    });
    const scan = createNode("Scan", ["zero", "x"], ["sum", "steps"], {
      body: { graph: body },
      num_scan_inputs: 1,
      scan_input_axes: [1],
      scan_input_directions: [1],
      scan_output_axes: [-1],
    });
    const init: ModelInit = {
      inputs: ["x"],
      outputs: ["sum", "steps"],
      weights: { zero: float32([2], [0, 0]) },
      nodes: [scan],
    };
    const { sum, steps } = await run(init, { x: float32([2, 3], [1, 2, 3, 4, 5, 6]) });
    expect(sum.data).toEqual(Float32Array.of(6, 15));
    expect(steps).toEqual(float32([2, 3], [3, 5, 6, 6, 11, 15]));
  });
});

describe("model-local functions", () => {
  const cut = functionOf(
    "Join",
    ["a", "b"],
    ["y"],
    [{ ...createNode("Concat", ["a", "b"], ["y"]), attributes: new Map([["axis", reference("along", 2)]]) }],
    { defaults: new Map([["along", { kind: "int", value: 0 }]]) },
  );
  const x = float32([1, 2], [1, 2]);

  test("attributes come from the call, else from the defaults", async () => {
    const init: ModelInit = {
      inputs: ["x"],
      outputs: ["y", "z"],
      functions: [cut],
      nodes: [local("Join", ["x", "x"], ["y"]), local("Join", ["x", "x"], ["z"], { along: 1 })],
    };
    const { y, z } = await run(init, { x });
    expect([y.dims, z.dims]).toEqual([
      [2, 2],
      [1, 4],
    ]);
  });

  test("an input that the call omits is omitted inside, and names outside are not seen", async () => {
    const clip = functionOf("Limit", ["v", "low", "high"], ["w"], [createNode("Clip", ["v", "low", "high"], ["w"])]);
    const init: ModelInit = {
      inputs: ["x", "low"],
      outputs: ["y"],
      functions: [clip],
      weights: { top: float32([], [1.5]) },
      nodes: [local("Limit", ["x", "", "top"], ["y"])],
    };
    expect((await run(init, { x, low: float32([], [9]) })).y.data).toEqual(Float32Array.of(1, 1.5));
  });

  test("a function has operator sets of its own", async () => {
    const squeeze = functionOf("OldSqueeze", ["v"], ["w"], [createNode("Squeeze", ["v"], ["w"], { axes: [0] })], {
      opsets: new Map([["", 11]]),
    });
    const init: ModelInit = {
      inputs: ["x"],
      outputs: ["y"],
      functions: [squeeze],
      nodes: [local("OldSqueeze", ["x"], ["y"])],
    };
    expect((await run(init, { x })).y.dims).toEqual([2]);
  });

  test("a function that calls itself is refused by name", async () => {
    const ping = functionOf("Ping", ["v"], ["w"], [local("Pong", ["v"], ["w"])]);
    const pong = functionOf("Pong", ["v"], ["w"], [local("Ping", ["v"], ["w"])]);
    const init: ModelInit = {
      inputs: ["x"],
      outputs: ["y"],
      functions: [ping, pong],
      nodes: [local("Ping", ["x"], ["y"])],
    };
    await expect(run(init, { x })).rejects.toThrow("Ping → Pong → Ping");
  });

  test("operators that only a function uses are missed too", async () => {
    const init: ModelInit = {
      inputs: ["x"],
      outputs: ["y"],
      functions: [functionOf("F", ["v"], ["w"], [createNode("Magic", ["v"], ["w"])])],
      nodes: [local("F", ["x"], ["y"])],
    };
    await expect(run(init, { x })).rejects.toMatchObject({
      code: "model/unsupported-operator",
      message: "cannot run Magic",
    });
  });
});
