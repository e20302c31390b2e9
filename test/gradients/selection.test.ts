import { describe, expect, test } from "vitest";
import { differentiate } from "#grad/differentiate";
import { type AttributeInit, createNode } from "#model/attributes";
import { interpret } from "#model/interpreter";
import { parametricGradients } from "#model/ops/gradients/parametric";
import { variadicGradients } from "#model/ops/gradients/variadic";
import { type Tensor, toNumbers } from "#model/tensor";
import { modelOf } from "../modelBuilder";
import { checkGradient, float64 } from "./checkGradient";

const scalar = (value: number): Tensor => ({ type: "float64", dims: [], data: Float64Array.of(value) });
const bools = (...values: number[]): Tensor => ({ type: "bool", dims: [values.length], data: Uint8Array.from(values) });
const vector = (...values: number[]): Tensor => ({
  type: "float64",
  dims: [values.length],
  data: Float64Array.from(values),
});

describe("Softmax along any axis", () => {
  test.each([
    ["Softmax", -1],
    ["Softmax", 1],
    ["LogSoftmax", -1],
    ["LogSoftmax", 0],
  ])("%s of axis %i", (op, axis) =>
    checkGradient({
      nodes: [createNode(op, ["x"], ["y"], { axis })],
      output: "y",
      inputs: { x: float64([2, 3, 4]) },
      dims: [2, 3, 4],
    }),
  );
});

describe("functions of many tensors that broadcast", () => {
  test.each(Object.keys(variadicGradients))("%s", (op) =>
    checkGradient({
      nodes: [createNode(op, ["a", "b", "c"], ["y"])],
      output: "y",
      inputs: { a: float64([2, 3], 1), b: float64([3], 2), c: float64([2, 1], 3) },
      dims: [2, 3],
    }),
  );

  test("operands that tie share the gradient", async () => {
    const model = modelOf({
      inputs: { a: ["float64", [1]], b: ["float64", [1]] },
      outputs: ["y"],
      nodes: [createNode("Max", ["a", "b"], ["y"])],
    });
    const { model: graph, gradients } = await differentiate(model, "y", ["a", "b"]);
    const found = (await interpret(graph)).run({ a: vector(2), b: vector(2) });
    expect(gradients.map((name) => toNumbers(found[name])[0])).toEqual([0.5, 0.5]);
  });
});

describe("elements that are let through or not", () => {
  test("Where", () =>
    checkGradient({
      nodes: [createNode("Where", ["condition", "a", "b"], ["y"])],
      output: "y",
      inputs: { a: float64([2, 3], 1), b: float64([2, 1], 2) },
      weights: { condition: bools(1, 0, 1) },
      dims: [2, 3],
    }));

  test.each([
    [["x", "low", "high"], { low: scalar(-0.4), high: scalar(0.6) }],
    [["x", "low"], { low: scalar(-0.4) }],
    [["x", "", "high"], { high: scalar(0.6) }],
  ] as const)("Clip of %j, the bounds' gradients too", (names, bounds) =>
    checkGradient({
      nodes: [createNode("Clip", names, ["y"])],
      output: "y",
      inputs: { x: float64([3, 4]), ...bounds },
      dims: [3, 4],
    }),
  );

  test("Clip lets gradients through on its bounds, and stops NaN", async () => {
    const model = modelOf({
      inputs: { x: ["float64", [4]] },
      outputs: ["loss"],
      weights: { low: scalar(0), high: scalar(6) },
      nodes: [createNode("Clip", ["x", "low", "high"], ["y"]), createNode("ReduceSum", ["y"], ["loss"])],
    });
    const { model: graph, gradients } = await differentiate(model, "loss", ["x"]);
    const found = (await interpret(graph)).run({ x: vector(0, 6, 7, Number.NaN) });
    expect([...toNumbers(found[gradients[0]])]).toEqual([1, 1, 0, 0]);
  });

  test("Dropout in inference is the identity", () =>
    checkGradient({
      nodes: [createNode("Dropout", ["x"], ["y"])],
      output: "y",
      inputs: { x: float64([2, 3]) },
      dims: [2, 3],
    }));

  test("Cast to another float and back", () =>
    checkGradient({
      nodes: [
        createNode("Mul", ["x", "x"], ["square"]),
        createNode("Cast", ["square"], ["wide"], { to: 11 }),
        createNode("Identity", ["wide"], ["y"]),
      ],
      output: "y",
      inputs: { x: float64([2, 3]) },
      dims: [2, 3],
    }));

  test("a float32 part inside a float64 model has constants of its own type", async () => {
    const model = modelOf({
      inputs: { x: ["float64", [2]] },
      outputs: ["loss"],
      nodes: [
        createNode("Cast", ["x"], ["narrow"], { to: 1 }),
        createNode("Relu", ["narrow"], ["positive"]),
        createNode("Cast", ["positive"], ["wide"], { to: 11 }),
        createNode("ReduceSum", ["wide"], ["loss"], { keepdims: 0 }),
      ],
    });
    const { model: graph, gradients } = await differentiate(model, "loss", ["x"]);
    const found = (await interpret(graph)).run({ x: vector(1.5, -1.5) })[gradients[0]];
    expect(found).toEqual(vector(1, 0));
  });
});

describe("activations with parameters", () => {
  const attributes: Readonly<Record<string, readonly Readonly<Record<string, AttributeInit>>[]>> = {
    LeakyRelu: [{ alpha: { float: 0.125 } }],
    Elu: [{ alpha: { float: 1.5 } }],
    Celu: [{ alpha: { float: 0.5 } }],
    ThresholdedRelu: [{ alpha: { float: 0.5 } }],
    HardSigmoid: [{ alpha: { float: 0.5 }, beta: { float: 0.25 } }],
    Swish: [{ alpha: { float: 1.5 } }],
    Gelu: [{ approximate: "tanh" }],
  };
  const all = Object.keys(parametricGradients).flatMap((key) => {
    const [domain, op] = key.includes(":") ? key.split(":") : ["", key];
    return [{}, ...(attributes[key] ?? [])].map((init) => [domain, op, init] as const);
  });
  test.each(all)("%s %s %j", (domain, op, init) =>
    checkGradient({
      nodes: [createNode(op, ["x"], ["y"], init, { domain })],
      output: "y",
      inputs: { x: float64([3, 4], 5, 0.1) },
      dims: [3, 4],
      opset: 24,
    }),
  );

  test.each(["BiasGelu", "FastGelu"])("the bias of %s", (op) =>
    checkGradient({
      nodes: [createNode(op, ["x", "bias"], ["y"], {}, { domain: "com.microsoft" })],
      output: "y",
      inputs: { x: float64([2, 3], 1), bias: float64([3], 2) },
      dims: [2, 3],
    }),
  );
});
