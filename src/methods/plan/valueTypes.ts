import { subgraphs } from "#model/attributes";
import type { Graph, Model, Node } from "#model/model";
import type { ShapeMap } from "#model/shapes";
import type { ElementType } from "#model/tensor";

/** The element type of each value, down to subgraphs, as far as it is known. */
export type TypeOf = (name: string) => ElementType | undefined;

/** Where two subgraphs give one name different types it has none. */
export function valueTypes(model: Model, shapes: ShapeMap): TypeOf {
  const constants = new Map<string, ElementType | undefined>();
  const visit = (graph: Graph): void => {
    for (const [name, { element }] of graph.initializers)
      constants.set(name, constants.has(name) && constants.get(name) !== element ? undefined : element);
    for (const node of graph.nodes) for (const inner of subgraphs(node)) visit(inner);
  };
  visit(model.graph);
  return (name) => (constants.has(name) ? constants.get(name) : shapes.get(name)?.element);
}

/** Whether a node has float32 values, and no value of an unknown type. */
export function isFloatNode(node: Node, typeOf: TypeOf): boolean {
  const types = [...node.inputs, ...node.outputs].filter((name) => name !== "").map(typeOf);
  return types.includes("float32") && !types.includes(undefined);
}
