import { LowbitError } from "#base/errors";
import { createNode, subgraphs } from "#model/attributes";
import { decoderCall, decoderDomain } from "#model/decoderCall";
import { functionBody, functionOf, refuseRecursion } from "#model/functions";
import type { Attribute, FunctionDef, Graph, Model, Node } from "#model/model";
import { renameValues } from "#report/graph/renameValues";

/** Calls and nodes that a model may unfold to: above any real one, and a bound for functions that call each other many times. */
const mostNodes = 200_000;

/**
 * The model with every call of one of its functions replaced by the function's nodes: what a runtime runs, for counting work. Calls
 * that decode weights of our own files stay. For analysis only: a body that was written for another operator set keeps its nodes as they are.
 */
export function inlineFunctions(model: Model): Model {
  if (model.functions.length === 0) return model;
  const inliner = new Inliner(model);
  const functions = model.functions.filter(({ domain }) => domain === decoderDomain);
  return { ...model, functions, graph: inliner.graph(model.graph, []) };
}

class Inliner {
  readonly #model: Model;
  #unfolded = 0;

  constructor(model: Model) {
    this.#model = model;
  }

  graph(graph: Graph, calls: readonly FunctionDef[]): Graph {
    return { ...graph, nodes: graph.nodes.flatMap((node) => this.#node(node, calls)) };
  }

  #node(node: Node, calls: readonly FunctionDef[]): Node[] {
    if (++this.#unfolded > mostNodes)
      throw new LowbitError("onnx/limit", `the model's functions unfold to more than ${mostNodes} nodes`);
    const fn = functionOf(this.#model, node);
    // weights of our own files are decoded when the model is loaded: no work, and one value
    if (fn === undefined || decoderCall(node, this.#model.functions) !== undefined) {
      return [subgraphs(node).length === 0 ? node : { ...node, attributes: this.#attributes(node, calls) }];
    }
    refuseRecursion(calls, fn);
    const body = functionBody(fn, node);
    const given = node.inputs.filter((name) => name !== "");
    const names = new Map<string, string>();
    for (const [i, { name }] of body.inputs.entries()) names.set(name, given[i]);
    for (const [i, { name }] of body.outputs.entries()) {
      const to = node.outputs[i] ?? "";
      if (to !== "" && !names.has(name)) names.set(name, to);
    }
    const prefix = `${node.outputs.find((name) => name !== "") ?? fn.name}/${this.#unfolded}/`;
    const inside = renameValues(body, (name) => names.get(name) ?? prefix + name);
    const passed = body.outputs.flatMap(({ name }, i): Node[] => {
      const to = node.outputs[i] ?? "";
      // an output that is an input, or that a call names twice, still has to come into being
      return to === "" || names.get(name) === to
        ? []
        : [createNode("Identity", [names.get(name) ?? prefix + name], [to])];
    });
    return [...this.graph(inside, [...calls, fn]).nodes, ...passed];
  }

  #attributes(node: Node, calls: readonly FunctionDef[]): ReadonlyMap<string, Attribute> {
    return new Map(
      [...node.attributes].map(([name, attribute]): [string, Attribute] => {
        if (attribute.kind === "graph") return [name, { ...attribute, value: this.graph(attribute.value, calls) }];
        if (attribute.kind === "graphs")
          return [name, { ...attribute, value: attribute.value.map((graph) => this.graph(graph, calls)) }];
        return [name, attribute];
      }),
    );
  }
}
