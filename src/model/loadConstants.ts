import { subgraphs } from "#model/attributes";
import type { Attribute, FunctionDef, Graph, Model, Node, TensorRef } from "#model/model";
import { readWeight, weight, weightBytes } from "#model/weights";

/**
 * The same model with its small tensors in memory: initializers and tensors in attributes of up to `maxBytes` (default
 * 8 KB, a shape of 1,024 axes), everywhere down to subgraphs and functions. What runs or infers a graph does so without
 * waiting.
 */
export async function loadConstants(model: Model, options: { readonly maxBytes?: number } = {}): Promise<Model> {
  const { maxBytes = 8192 } = options;
  const loaded = new Map<TensorRef, TensorRef>();
  const wanted = (ref: TensorRef): boolean =>
    ref.data.kind !== "bytes" && ref.data.kind !== "strings" && weightBytes(ref) <= maxBytes;
  for (const ref of [...tensorsOf(model.graph), ...model.functions.flatMap((fn) => fn.nodes.flatMap(tensorsOfNode))]) {
    if (!wanted(ref) || loaded.has(ref)) continue;
    const { data } = weight(ref.name, await readWeight(ref));
    loaded.set(ref, { ...ref, data });
  }
  return loaded.size === 0 ? model : replaceTensors(model, loaded);
}

function tensorsOf(graph: Graph): TensorRef[] {
  return [...graph.initializers.values(), ...graph.nodes.flatMap(tensorsOfNode)];
}

function tensorsOfNode(node: Node): TensorRef[] {
  const own = [...node.attributes.values()].flatMap((attribute) => {
    if (attribute.kind === "tensor") return [attribute.value];
    return attribute.kind === "tensors" ? attribute.value : [];
  });
  return [...own, ...subgraphs(node).flatMap(tensorsOf)];
}

function replaceTensors(model: Model, by: ReadonlyMap<TensorRef, TensorRef>): Model {
  const now = (ref: TensorRef): TensorRef => by.get(ref) ?? ref;
  const inAttribute = (attribute: Attribute): Attribute => {
    switch (attribute.kind) {
      case "tensor":
        return { ...attribute, value: now(attribute.value) };
      case "tensors":
        return { ...attribute, value: attribute.value.map(now) };
      case "graph":
        return { ...attribute, value: inGraph(attribute.value) };
      case "graphs":
        return { ...attribute, value: attribute.value.map(inGraph) };
      default:
        return attribute;
    }
  };
  const inNode = (node: Node): Node => {
    if (!tensorsOfNode(node).some((ref) => by.has(ref))) return node;
    return { ...node, attributes: new Map([...node.attributes].map(([name, value]) => [name, inAttribute(value)])) };
  };
  const inGraph = (graph: Graph): Graph => ({
    ...graph,
    nodes: graph.nodes.map(inNode),
    initializers: new Map([...graph.initializers].map(([name, ref]) => [name, now(ref)])),
  });
  const inFunction = (fn: FunctionDef): FunctionDef => ({ ...fn, nodes: fn.nodes.map(inNode) });
  return { ...model, graph: inGraph(model.graph), functions: model.functions.map(inFunction) };
}
