import type { Attribute, Graph, Node, ValueInfo } from "#model/model";

/** The graph with every value renamed, down to its subgraphs. `rename` must be one-to-one; omitted inputs stay omitted. */
export function renameValues(graph: Graph, rename: (name: string) => string): Graph {
  const info = (value: ValueInfo): ValueInfo => ({ ...value, name: rename(value.name) });
  const keyed = <T>(map: ReadonlyMap<string, T>, value: (item: T, name: string) => T): Map<string, T> =>
    new Map([...map].map(([name, item]) => [rename(name), value(item, rename(name))]));
  return {
    ...graph,
    nodes: graph.nodes.map((node) => renameNode(node, rename)),
    inputs: graph.inputs.map(info),
    outputs: graph.outputs.map(info),
    initializers: keyed(graph.initializers, (ref, name) => ({ ...ref, name })),
    values: keyed(graph.values, info),
    ...(graph.overridable === undefined ? {} : { overridable: keyed(graph.overridable, info) }),
  };
}

function renameNode(node: Node, rename: (name: string) => string): Node {
  const names = (list: readonly string[]): string[] => list.map((name) => (name === "" ? "" : rename(name)));
  const inAttribute = (attribute: Attribute): Attribute => {
    if (attribute.kind === "graph") return { ...attribute, value: renameValues(attribute.value, rename) };
    if (attribute.kind === "graphs")
      return { ...attribute, value: attribute.value.map((graph) => renameValues(graph, rename)) };
    return attribute;
  };
  return {
    ...node,
    inputs: names(node.inputs),
    outputs: names(node.outputs),
    attributes: new Map([...node.attributes].map(([name, value]) => [name, inAttribute(value)])),
  };
}
