import type { Model, ValueInfo } from "#model/model";
import { isConcrete } from "#model/ops/known";
import { raiseOpset } from "#model/opset";
import { inferShapes, type ShapeMap } from "#model/shapes";

/** Operator set that gradients and losses are written in: the first in which all reductions take their axes as an input. */
const leastOpset = 18;

/**
 * A model that can be differentiated, and what is known of its values: of an operator set that rules are written in, and with the sizes
 * of all values said where the file says something of them. What exporters said may hold of another size only (an image of 640
 * pixels), and runtimes would refuse the gradients' nodes, whose shapes are these.
 */
export async function prepare(
  original: Model,
  inputShapes: Readonly<Record<string, readonly number[]>>,
): Promise<{ readonly model: Model; readonly shapes: ShapeMap }> {
  const model = raiseOpset(original, leastOpset, await inferShapes(original, { inputShapes }));
  const shapes = await inferShapes(model, { inputShapes });
  const said = (info: ValueInfo): ValueInfo => {
    const { element, shape } = shapes.get(info.name) ?? {};
    if (element === undefined || !isConcrete(shape)) return info;
    return { ...info, type: { kind: "tensor", element, shape } };
  };
  const { graph } = model;
  const values = new Map([...graph.values].map(([name, info]) => [name, said(info)]));
  return {
    model: { ...model, graph: { ...graph, inputs: graph.inputs.map(said), outputs: graph.outputs.map(said), values } },
    shapes,
  };
}
