import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Graph, Node, ValueInfo } from "#model/model";
import { float32 } from "#model/tensor";
import { weight } from "#model/weights";

const value = (name: string): ValueInfo => ({ name, type: undefined, doc: "", metadata: new Map() });

function graphOf(nodes: readonly Node[], inputs: string[], outputs: string[], weights: string[] = []): Graph {
  return {
    name: "g",
    nodes,
    inputs: inputs.map(value),
    outputs: outputs.map(value),
    initializers: new Map(weights.map((name) => [name, weight(name, float32([1], [1]))])),
    values: new Map(),
    doc: "",
    metadata: new Map(),
  };
}

const lines = (graph: Graph): string[] => graph.nodes.map((n) => `${n.outputs.join()} = ${n.op}(${n.inputs.join()})`);

const chain = graphOf(
  [createNode("Add", ["x", "w"], ["a"]), createNode("Identity", ["a"], ["b"]), createNode("Relu", ["b"], ["y"])],
  ["x"],
  ["y"],
  ["w"],
);

describe("a draft of a graph", () => {
  test("finishing without edits gives the same graph", () => {
    expect(new GraphDraft(chain).finish()).toEqual(chain);
  });

  test("knows who makes and who reads a value, also from inside subgraphs", () => {
    const branch = graphOf([createNode("Neg", ["a"], ["n"])], [], ["n"]);
    const graph = graphOf(
      [
        createNode("Abs", ["x"], ["a"]),
        createNode("If", ["c"], ["y"], { then_branch: { graph: branch }, else_branch: { graph: branch } }),
      ],
      ["x", "c"],
      ["y"],
    );
    const draft = new GraphDraft(graph);
    expect(draft.producer("a")?.op).toBe("Abs");
    expect(draft.consumers("a").map((node) => node.op)).toEqual(["If"]);
    draft.replaceUses("a", "x");
    expect(draft.consumers("a")).toEqual([]);
    expect(draft.consumers("x").map((node) => node.op)).toEqual(["Abs", "If"]);
    expect(draft.freshName("n")).toBe("n_1");
  });

  test("bypassing a node hands its input to its readers", () => {
    const draft = new GraphDraft(chain);
    expect(draft.bypass(chain.nodes[1])).toBe(true);
    expect(lines(draft.finish())).toEqual(["a = Add(x,w)", "y = Relu(a)"]);
  });

  test("bypassing the node of an output keeps the output's name", () => {
    const graph = graphOf(
      [createNode("Abs", ["x"], ["a"]), createNode("Identity", ["a"], ["y"]), createNode("Neg", ["a"], ["z"])],
      ["x"],
      ["y", "z"],
    );
    const draft = new GraphDraft(graph);
    expect(draft.bypass(graph.nodes[1])).toBe(true);
    expect(lines(draft.finish())).toEqual(["y = Abs(x)", "z = Neg(y)"]);
    expect(draft.current(graph.nodes[0])?.outputs).toEqual(["y"]);
  });

  test("an identity from input to output stays: both names are the interface", () => {
    const graph = graphOf([createNode("Identity", ["x"], ["y"])], ["x"], ["y"]);
    const draft = new GraphDraft(graph);
    expect(draft.bypass(graph.nodes[0])).toBe(false);
    expect(draft.finish()).toEqual(graph);
  });

  test("nodes put onto a value stand right before its readers", () => {
    const draft = new GraphDraft(chain);
    draft.insertAfter("a", (x, y) => [
      createNode("Q", [x], ["q"]),
      createNode("DQ", [draft.freshName("q_"), "q"], [y]),
    ]);
    expect(lines(draft.finish())).toEqual([
      "a = Add(x,w)",
      "q = Q(a)",
      "a_1 = DQ(q_,q)",
      "b = Identity(a_1)",
      "y = Relu(b)",
    ]);
  });

  test("nodes put onto an output compute it under its own name when asked to", () => {
    const draft = new GraphDraft(chain);
    draft.insertAfter("y", (x, y) => [createNode("Neg", [x], [y])], { outputs: true });
    expect(lines(draft.finish()).slice(2)).toEqual(["y_source = Relu(b)", "y = Neg(y_source)"]);
    expect(draft.current(chain.nodes[2])?.outputs).toEqual(["y_source"]);
  });

  test("chosen uses only are replaced", () => {
    const graph = graphOf([createNode("Mul", ["x", "x"], ["y"])], ["x", "z"], ["y"]);
    const draft = new GraphDraft(graph);
    draft.replaceUses("x", "z", (_, input) => input === 1);
    expect(lines(draft.finish())).toEqual(["y = Mul(x,z)"]);
  });

  test("removing what is unused goes back along the chain, and unread weights go with it", () => {
    const graph = graphOf(
      [createNode("Add", ["x", "w"], ["a"]), createNode("Neg", ["a"], ["b"]), createNode("Abs", ["x"], ["y"])],
      ["x"],
      ["y"],
      ["w"],
    );
    const draft = new GraphDraft(graph);
    expect(draft.removeUnused()).toBe(2);
    const done = draft.finish();
    expect(lines(done)).toEqual(["y = Abs(x)"]);
    expect([...done.initializers.keys()]).toEqual([]);
  });

  test("a value cannot be computed twice, and a cycle is named", () => {
    const draft = new GraphDraft(chain);
    expect(() => draft.add(createNode("Neg", ["x"], ["a"]))).toThrow(/computed twice/);
    draft.update(chain.nodes[0], { inputs: ["b", "w"] });
    expect(() => draft.finish()).toThrow(/depends on its own output/);
  });

  test("weights get names of their own, and a rename reaches every reader", () => {
    const draft = new GraphDraft(chain);
    expect(draft.addInitializer(weight("w", float32([1], [2])))).toBe("w_1");
    draft.rename("w", "weight");
    draft.rename("y", "out");
    const done = draft.finish();
    expect(lines(done)).toEqual(["a = Add(x,weight)", "b = Identity(a)", "out = Relu(b)"]);
    expect(done.outputs.map(({ name }) => name)).toEqual(["out"]);
    expect(done.initializers.get("weight")?.name).toBe("weight");
  });

  test("a chain of 100,000 nodes in reverse order sorts without exhausting the stack", () => {
    const nodes = Array.from({ length: 100_000 }, (_, i) => createNode("Relu", [`v${i}`], [`v${i + 1}`])).reverse();
    const done = new GraphDraft(graphOf(nodes, ["v0"], ["v100000"])).finish();
    expect(done.nodes[0].inputs).toEqual(["v0"]);
    expect(done.nodes[99_999].outputs).toEqual(["v100000"]);
  });
});
