import { describe, expect, test } from "vitest";
import { differentiate } from "#grad/differentiate";
import { createNode } from "#model/attributes";
import { interpret } from "#model/interpreter";
import type { Model, Node } from "#model/model";
import { float32, type Tensor, toNumbers } from "#model/tensor";
import { functionOf, graphOf, modelOf } from "../modelBuilder";

const vector = (...values: number[]): Tensor => float32([values.length], values);
const model = (nodes: readonly Node[], weights: Readonly<Record<string, Tensor>> = {}, opset = 21): Model =>
  modelOf({ inputs: { x: ["float32", ["N", 2]] }, outputs: ["loss"], nodes, weights, opset });
const sum = (of: string): Node => createNode("ReduceSum", [of], ["loss"], { keepdims: 0 });
const shapes = { x: [1, 2] };
const x = float32([1, 2], [3, 4]);

async function gradientsOf(of: Model, values: readonly string[]): Promise<number[][]> {
  const { model: graph, gradients } = await differentiate(of, "loss", values, shapes);
  const found = (await interpret(graph)).run({ x });
  return gradients.map((name) => [...toNumbers(found[name])]);
}

describe("differentiating", () => {
  const scaled = [createNode("Mul", ["x", "w"], ["y"]), createNode("Exp", ["y"], ["z"]), sum("y")];

  test("is for weights, inputs and values on the way alike", async () => {
    const weights = { w: vector(0.5, 2) };
    expect(await gradientsOf(model(scaled, weights), ["w", "x", "y"])).toEqual([
      [3, 4],
      [0.5, 2],
      [1, 1],
    ]);
  });

  test("a weight that is read twice has the sum of both", async () => {
    const nodes = [createNode("Mul", ["x", "w"], ["a"]), createNode("Mul", ["a", "w"], ["b"]), sum("b")];
    expect(await gradientsOf(model(nodes, { w: vector(1, 2) }), ["w"])).toEqual([[6, 16]]);
  });

  test("small weights are no constants while they are differentiated for", async () => {
    const nodes = [createNode("Clip", ["x", "low"], ["y"]), sum("y")];
    const low = float32([], [3.5]);
    expect(await gradientsOf(model(nodes, { low }), ["low"])).toEqual([[1]]);
  });

  test("nothing passes through what is computed of shapes and comparisons", async () => {
    const nodes = [
      createNode("Shape", ["x"], ["shape"]),
      createNode("Cast", ["shape"], ["sizes"], { to: 1 }),
      createNode("Greater", ["x", "w"], ["above"]),
      createNode("Where", ["above", "x", "sizes"], ["y"]),
      sum("y"),
    ];
    expect(await gradientsOf(model(nodes, { w: vector(3.5, 3.5) }), ["x"])).toEqual([[0, 1]]);
  });

  test("behind a step the gradient is zero, and has its shape", async () => {
    const nodes = [createNode("Floor", ["x"], ["y"]), sum("y")];
    expect(await gradientsOf(model(nodes), ["x"])).toEqual([[0, 0]]);
  });

  test("a model of an older operator set is raised first", async () => {
    const nodes = [createNode("Softmax", ["x"], ["y"]), createNode("Mul", ["y", "x"], ["z"]), sum("z")];
    const [gradient] = await gradientsOf(model(nodes, {}, 11), ["x"]);
    const [p, q] = [1 / (1 + Math.E), Math.E / (1 + Math.E)];
    expect(gradient[0]).toBeCloseTo(p * (1 + 3 - (3 * p + 4 * q)), 5);
  });

  test("the result says the sizes that it was made for", async () => {
    const { model: graph } = await differentiate(model(scaled, { w: vector(1, 1) }), "loss", ["w"], shapes);
    expect(graph.graph.inputs[0].type).toMatchObject({ shape: [1, 2] });
  });
});

describe("what cannot be differentiated is named before anything runs", () => {
  const refused = (
    of: Model,
    loss: string,
    values: readonly string[],
    inputShapes: Record<string, number[]> = shapes,
  ) => expect(differentiate(of, loss, values, inputShapes)).rejects;

  test("weights that the loss does not depend on", async () => {
    const nodes = [createNode("Mul", ["x", "w"], ["y"]), createNode("Mul", ["x", "idle"], ["z"]), sum("y")];
    const of = model(nodes, { w: vector(1, 1), idle: vector(1, 1) });
    await refused(of, "loss", ["w", "idle", "gone"]).toMatchObject({
      code: "model/missing-tensor",
      message: "the loss loss does not depend on idle, gone",
    });
    await refused(of, "nothing", ["w"]).toMatchObject({ code: "model/missing-tensor" });
  });

  test("operators without a rule, all of them", async () => {
    const nodes = [
      createNode("Det", ["x"], ["y"]),
      createNode("Strange", ["y"], ["z"], {}, { domain: "my" }),
      sum("z"),
    ];
    await refused(model(nodes), "loss", ["x"]).toMatchObject({
      code: "model/unsupported-operator",
      message: "no gradient is known of Det, my:Strange",
    });
  });

  test("a branch that reads a weight from around it", async () => {
    const branch = graphOf({ outputs: ["inner"], nodes: [createNode("Neg", ["w"], ["inner"])] });
    const nodes = [
      createNode("If", ["yes"], ["y"], { then_branch: { graph: branch }, else_branch: { graph: branch } }),
      sum("y"),
    ];
    const yes: Tensor = { type: "bool", dims: [], data: Uint8Array.of(1) };
    await refused(model(nodes, { w: vector(1, 1), yes }), "loss", ["w"]).toMatchObject({
      code: "model/unsupported-operator",
      message: "no gradient is known of If",
    });
  });

  test("a function of the model's own, also where it has the name of an operator", async () => {
    const hidden = functionOf("Neg", ["a"], ["b"], [createNode("Exp", ["a"], ["b"])], { domain: "" });
    const of = { ...model([createNode("Neg", ["x"], ["y"]), sum("y")]), functions: [hidden] };
    await refused(of, "loss", ["x"]).toMatchObject({ message: "no gradient is known of Neg" });
  });

  test("a loss of several elements", async () => {
    await refused(model([createNode("Neg", ["x"], ["loss"])]), "loss", ["x"]).toMatchObject({ code: "model/shape" });
  });

  test("sizes that are not fixed", async () => {
    await refused(model([createNode("Neg", ["x"], ["y"]), sum("y")]), "loss", ["x"], {}).toMatchObject({
      code: "model/shape",
    });
  });
});
