/**
 * Moves constants of subgraphs (branches of an If, bodies of loops) into the main graph, where the subgraphs capture them. The model
 * computes the same; what treats weights of the main graph now treats all.
 */
import { subgraphs } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Attribute, Graph, Model, Node, TensorRef } from "#model/model";

/** The model with every constant of its subgraphs that is `wanted` in its main graph, under its name or a similar one. */
export function hoistConstants(model: Model, wanted: (ref: TensorRef) => boolean): Model {
  if (!model.graph.nodes.some((node) => subgraphs(node).length > 0)) return model;
  const draft = new GraphDraft(model.graph);
  for (const node of draft.nodes()) {
    const attributes = hoistedFrom(node, draft, wanted);
    if (attributes !== undefined) draft.update(node, { attributes });
  }
  return { ...model, graph: draft.finish() };
}

/** The node's attributes without the constants of its subgraphs, which `outer` has now; undefined where there are none. */
function hoistedFrom(
  node: Node,
  outer: GraphDraft,
  wanted: (ref: TensorRef) => boolean,
): ReadonlyMap<string, Attribute> | undefined {
  let changed = false;
  const within = (graph: Graph): Graph => {
    const draft = new GraphDraft(graph, outer.names);
    let touched = false;
    for (const inner of draft.nodes()) {
      const attributes = hoistedFrom(inner, outer, wanted);
      if (attributes === undefined) continue;
      draft.update(inner, { attributes });
      touched = true;
    }
    for (const ref of draft.initializers().values()) {
      if (!wanted(ref) || draft.isInput(ref.name) || draft.isOutput(ref.name)) continue;
      const name = outer.addInitializer(ref);
      if (name !== ref.name) draft.replaceUses(ref.name, name);
      draft.removeInitializer(ref.name);
      touched = true;
    }
    changed ||= touched;
    return touched ? draft.finish() : graph;
  };
  const attributes = new Map(
    [...node.attributes].map(([name, attribute]): [string, Attribute] => {
      if (attribute.kind === "graph") return [name, { ...attribute, value: within(attribute.value) }];
      if (attribute.kind === "graphs") return [name, { ...attribute, value: attribute.value.map(within) }];
      return [name, attribute];
    }),
  );
  return changed ? attributes : undefined;
}
