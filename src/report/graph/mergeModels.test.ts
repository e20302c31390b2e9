import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { interpret } from "#model/interpreter";
import type { Model } from "#model/model";
import type { Tensors } from "#model/session";
import { float32, fromNumbers, type Tensor, toNumbers } from "#model/tensor";
import { inlineFunctions } from "#report/graph/inlineFunctions";
import { mergeModels } from "#report/graph/mergeModels";
import { renameValues } from "#report/graph/renameValues";
import { functionOf, graphOf, modelOf } from "../../../test/modelBuilder";

const run = async (model: Model, feeds: Tensors): Promise<Record<string, number[]>> => {
  const found = (await interpret(model)).run(feeds);
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, [...toNumbers(value)]]));
};

/** A model with everything that names can hide in: a function with attributes, branches that capture, an omitted input. */
function tangled(k: number): Model {
  const inner = functionOf("Inner", ["a"], ["b"], [createNode("LeakyRelu", ["a"], ["b"])]);
  const outer = functionOf(
    "Outer",
    ["a", "low"],
    ["b", "a2"],
    [
      createNode("Clip", ["a", "low"], ["t"]),
      createNode("Inner", ["t"], ["b"], {}, { domain: "local" }),
      createNode("Neg", ["a"], ["a2"]),
    ],
  );
  const branch = (op: string) =>
    graphOf({
      outputs: ["v"],
      nodes: [createNode(op, ["h", "k"], ["u"]), createNode("Outer", ["u", ""], ["v", ""], {}, { domain: "local" })],
    });
  return modelOf({
    inputs: { x: ["float32", [3]], c: ["bool", []] },
    outputs: ["y", "z"],
    functions: [inner, outer],
    nodes: [
      createNode("Outer", ["x", "zero"], ["h", "z"], {}, { domain: "local" }),
      createNode("If", ["c"], ["y"], { then_branch: { graph: branch("Add") }, else_branch: { graph: branch("Mul") } }),
    ],
    weights: { k: float32([], [k]), zero: float32([], [0]) },
  });
}

const feeds = (c: number): Record<string, Tensor> => ({ x: float32([3], [-1, 2, 3]), c: fromNumbers("bool", [], [c]) });

describe("two models as one", () => {
  test("compute what each computes alone, whatever names they share", async () => {
    const merged = await mergeModels(tangled(2), tangled(-5));
    if (typeof merged === "string") throw new Error(merged);
    expect(merged.renamed("x")).toBe("x");
    for (const c of [0, 1]) {
      const both = await run(merged.model, feeds(c));
      const [a, b] = [await run(tangled(2), feeds(c)), await run(tangled(-5), feeds(c))];
      expect(both).toEqual({ ...a, [merged.renamed("y")]: b.y, [merged.renamed("z")]: b.z });
    }
  });

  test("the prefix is one that no value has", async () => {
    const taken = modelOf({
      inputs: { x: ["float32", [1]] },
      outputs: ["quantized/y"],
      nodes: [createNode("Relu", ["x"], ["quantized/y"])],
    });
    const merged = await mergeModels(
      taken,
      modelOf({ inputs: { x: ["float32", [1]] }, outputs: ["y"], nodes: [createNode("Neg", ["x"], ["y"])] }),
    );
    if (typeof merged === "string") throw new Error(merged);
    expect(await run(merged.model, { x: float32([1], [2]) })).toEqual({
      "quantized/y": [2],
      [merged.renamed("y")]: [-2],
    });
  });

  test("of other domains versions must agree where both use them", async () => {
    const using = (version: number, op = "Scaler"): Model => {
      const model = modelOf({
        inputs: { x: ["float32", [1]] },
        outputs: ["y"],
        nodes: [createNode(op, ["x"], ["y"], {}, { domain: op === "Relu" ? "" : "ai.onnx.ml" })],
      });
      return {
        ...model,
        opsets: new Map([
          ["", 17],
          ["ai.onnx.ml", version],
        ]),
      };
    };
    expect(await mergeModels(using(1), using(2))).toBe("they use versions 1 and 2 of ai.onnx.ml");
    const merged = await mergeModels(using(1, "Relu"), using(2));
    expect(typeof merged === "string" ? merged : merged.model.opsets.get("ai.onnx.ml")).toBe(2);
  });
});

describe("calls unfolded", () => {
  test("a model without functions computes the same", async () => {
    const flat = inlineFunctions(tangled(2));
    expect(flat.functions).toEqual([]);
    for (const c of [0, 1]) expect(await run(flat, feeds(c))).toEqual(await run(tangled(2), feeds(c)));
  });

  test("an output that is an input, or named twice, comes into being", async () => {
    const same = functionOf("Same", ["a"], ["a", "a"], []);
    const model = modelOf({
      inputs: { x: ["float32", [1]] },
      outputs: ["p", "q"],
      functions: [same],
      nodes: [createNode("Same", ["x"], ["p", "q"], {}, { domain: "local" })],
    });
    expect(await run(inlineFunctions(model), { x: float32([1], [4]) })).toEqual({ p: [4], q: [4] });
  });

  test("functions that multiply beyond measure are refused", () => {
    const double = (i: number) =>
      functionOf(
        `F${i}`,
        ["a"],
        ["b"],
        i === 0
          ? [createNode("Neg", ["a"], ["b"])]
          : [
              createNode(`F${i - 1}`, ["a"], ["t"], {}, { domain: "local" }),
              createNode(`F${i - 1}`, ["t"], ["b"], {}, { domain: "local" }),
            ],
      );
    const model = modelOf({
      inputs: { x: ["float32", [1]] },
      outputs: ["y"],
      functions: Array.from({ length: 40 }, (_, i) => double(i)),
      nodes: [createNode("F39", ["x"], ["y"], {}, { domain: "local" })],
    });
    expect(() => inlineFunctions(model)).toThrow(expect.objectContaining({ code: "onnx/limit" }));
  });
});

test("renaming reaches every value, and back gives the same graph", () => {
  const { graph } = tangled(1);
  const there = renameValues(graph, (name) => `p/${name}`);
  expect([...there.initializers.keys()]).toEqual(["p/k", "p/zero"]);
  expect(renameValues(there, (name) => name.slice(2))).toEqual(graph);
});
