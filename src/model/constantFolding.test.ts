import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { foldConstants } from "#model/constantFolding";
import { interpret } from "#model/interpreter";
import type { Graph, Model } from "#model/model";
import { float32, int64, tensor } from "#model/tensor";
import { readWeight } from "#model/weights";
import { functionOf, graphOf, type ModelInit, modelOf } from "../../test/modelBuilder";

const lines = (graph: Graph): string[] => graph.nodes.map((n) => `${n.outputs.join()} = ${n.op}(${n.inputs.join()})`);
const fold = async (init: ModelInit): Promise<Model> => foldConstants(modelOf(init));
const folded = async (init: ModelInit): Promise<string[]> => lines((await fold(init)).graph);
const zeros = (...dims: number[]) => float32(dims, new Float32Array(dims.reduce((a, b) => a * b, 1)));

describe("constant folding", () => {
  test("what depends on no input is computed, and Constant nodes become weights", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", [2]] },
      outputs: ["y"],
      weights: { w: float32([2], [1, 2]) },
      nodes: [
        createNode("Constant", [], ["two"], { value_float: { float: 2 } }),
        createNode("Mul", ["w", "two"], ["w2"]),
        createNode("Add", ["x", "w2"], ["y"]),
      ],
    };
    const model = await fold(init);
    expect(lines(model.graph)).toEqual(["y = Add(x,w2)"]);
    const weights = [...model.graph.initializers.values()];
    expect(weights.map(({ name }) => name)).toEqual(["w2"]);
    expect(await readWeight(weights[0])).toEqual(float32([2], [2, 4]));
  });

  test("shapes that are known are values, as far as the batch size allows", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", ["N", 3, 4]] },
      outputs: ["y"],
      weights: { i: int64([1], [1]), zero: int64([1], [0]), n: int64([1], [0]) },
      nodes: [
        createNode("Shape", ["x"], ["shape"]),
        createNode("Gather", ["shape", "i"], ["c"]),
        createNode("Gather", ["shape", "zero"], ["batch"]),
        createNode("Concat", ["batch", "c"], ["target"], { axis: 0 }),
        createNode("ReduceMax", ["x"], ["m"], { axes: [2] }),
        createNode("Reshape", ["m", "target"], ["y"]),
      ],
    };
    const model = await fold({ ...init, opset: 13 });
    expect(lines(model.graph)).toContain("target = Concat(batch,c)");
    expect(await readWeight(model.graph.initializers.get("c") as never)).toEqual(int64([1], [3]));
  });

  test("what the file says of its values decides nothing: it may be stale", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", ["N"]] },
      outputs: ["s"],
      nodes: [
        createNode("Magic", ["x"], ["y"], {}, { domain: "org.nobody" }),
        createNode("Shape", ["y"], ["d"]),
        createNode("Cast", ["d"], ["s"], { to: 1 }),
      ],
      values: { y: ["float32", [5]] },
    };
    expect(await folded(init)).toHaveLength(3);
  });

  test("Identity and Dropout go, training aside, and outputs keep their names", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", [2]], t: ["bool", []] },
      outputs: ["y", "z"],
      weights: { r: float32([], [0.5]), no: tensor("bool", [], Uint8Array.of(0)) },
      nodes: [
        createNode("Identity", ["x"], ["a"]),
        createNode("Dropout", ["a", "r", "no"], ["b"]),
        createNode("Relu", ["b"], ["c"]),
        createNode("Identity", ["c"], ["y"]),
        createNode("Dropout", ["c", "r", "t"], ["z"]),
      ],
    };
    expect(await folded(init)).toEqual(["y = Relu(x)", "z = Dropout(y,r,t)"]);
  });

  test("the file does not grow: a result bigger than the weights it replaces stays a computation", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", [512, 512]] },
      outputs: ["y"],
      weights: { shape: int64([2], [512, 512]), one: float32([1, 1], [1]) },
      nodes: [createNode("Expand", ["one", "shape"], ["big"]), createNode("Add", ["x", "big"], ["y"])],
    };
    expect(await folded(init)).toEqual(["big = Expand(one,shape)", "y = Add(x,big)"]);
  });

  test("a weight that others read as it is, is not stored a second time", async () => {
    const nodes = [createNode("Transpose", ["w"], ["wt"]), createNode("MatMul", ["x", "wt"], ["y"])];
    const init: ModelInit = {
      inputs: { x: ["float32", [1, 64]] },
      outputs: ["y"],
      weights: { w: zeros(32, 64) },
      nodes,
    };
    expect(await folded(init)).toEqual(["y = MatMul(x,wt)"]);
    const tied = { ...init, outputs: ["y", "e"], nodes: [...nodes, createNode("MatMul", ["y", "w"], ["e"])] };
    expect(await folded(tied)).toEqual(["wt = Transpose(w)", "y = MatMul(x,wt)", "e = MatMul(y,w)"]);
  });

  test("a large result is computed when it is read, not held", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", [1, 1024]] },
      outputs: ["y"],
      weights: {
        w: float32(
          [512, 1024],
          Float32Array.from({ length: 512 * 1024 }, (_, i) => i),
        ),
      },
      nodes: [createNode("Transpose", ["w"], ["wt"]), createNode("MatMul", ["x", "wt"], ["y"])],
    };
    const ref = (await fold(init)).graph.initializers.get("wt");
    expect(ref).toMatchObject({ dims: [1024, 512], data: { kind: "lazy", length: 2 ** 21 } });
    expect((await readWeight(ref as never)).data.slice(0, 3)).toEqual(Float32Array.of(0, 1024, 2048));
  });

  test("quantization, functions and random numbers are left alone", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", [4]] },
      outputs: ["y"],
      weights: {
        q: tensor("int8", [4], Int8Array.of(1, 2, 3, 4)),
        s: float32([], [0.5]),
        like: float32([4], [0, 0, 0, 0]),
      },
      functions: [functionOf("Decode", ["a"], ["b"], [createNode("Neg", ["a"], ["b"])])],
      nodes: [
        createNode("DequantizeLinear", ["q", "s"], ["w"]),
        createNode("Decode", ["like"], ["d"], {}, { domain: "local" }),
        createNode("RandomNormalLike", ["like"], ["n"]),
        createNode("Sum", ["x", "w", "d", "n"], ["y"]),
      ],
    };
    expect(await folded(init)).toHaveLength(4);
  });

  test("what nothing reads is removed, nodes and weights", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", [1]] },
      outputs: ["y"],
      weights: { w: float32([1], [1]) },
      nodes: [createNode("Add", ["x", "w"], ["a"]), createNode("Exp", ["a"], ["b"]), createNode("Neg", ["x"], ["y"])],
    };
    const model = await fold(init);
    expect(lines(model.graph)).toEqual(["y = Neg(x)"]);
    expect(model.graph.initializers.size).toBe(0);
  });

  test("subgraphs are folded too, with the constants they capture, and still see what they need", async () => {
    const branch = (sign: string) =>
      graphOf({
        outputs: ["r"],
        nodes: [
          createNode("Constant", [], [`k${sign}`], { value_floats: { floats: [1, 2] } }),
          createNode("Mul", [`k${sign}`, "w"], [`m${sign}`]),
          createNode("Identity", ["a"], [`i${sign}`]),
          createNode(sign, [`i${sign}`, `m${sign}`], ["r"]),
        ],
      });
    const init: ModelInit = {
      inputs: { x: ["float32", [2]], c: ["bool", []] },
      outputs: ["y"],
      weights: { w: float32([2], [10, 10]) },
      nodes: [
        createNode("Identity", ["x"], ["a"]),
        createNode("If", ["c"], ["y"], {
          then_branch: { graph: branch("Add") },
          else_branch: { graph: branch("Sub") },
        }),
      ],
    };
    const model = await fold(init);
    expect(lines(model.graph)).toEqual(["y = If(c)"]);
    const inner = model.graph.nodes[0].attributes.get("then_branch");
    expect(inner?.kind === "graph" && lines(inner.value)).toEqual(["r = Add(x,mAdd)"]);
    const feeds = { x: float32([2], [1, 1]), c: tensor("bool", [], Uint8Array.of(0)) };
    expect((await interpret(model)).run(feeds).y).toEqual(float32([2], [-9, -19]));
  });

  test("an input with a default is no constant", async () => {
    const init: ModelInit = {
      inputs: { x: ["float32", [1]], w: ["float32", [1]] },
      outputs: ["y"],
      weights: { w: float32([1], [1]) },
      nodes: [createNode("Neg", ["w"], ["n"]), createNode("Add", ["x", "n"], ["y"])],
    };
    expect(await folded(init)).toHaveLength(2);
  });

  test("a node that cannot be computed is left for the runtime to refuse", async () => {
    const init: ModelInit = {
      outputs: ["y"],
      weights: { a: int64([1], [1]), b: int64([1], [0]) },
      nodes: [createNode("Div", ["a", "b"], ["c"]), createNode("Neg", ["c"], ["y"])],
    };
    expect(await folded(init)).toHaveLength(2);
  });
});
