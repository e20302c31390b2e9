import type { Model } from "#model/model";
import type { Tensors } from "#model/session";
import { weight } from "#model/weights";

/** The model with other values for some of its weights. Names that it does not have are no part of it. */
export function withWeights(model: Model, values: Tensors): Model {
  const initializers = new Map(model.graph.initializers);
  for (const [name, value] of Object.entries(values)) {
    const old = initializers.get(name);
    if (old !== undefined) initializers.set(name, { ...weight(name, value), doc: old.doc, metadata: old.metadata });
  }
  return { ...model, graph: { ...model.graph, initializers } };
}
