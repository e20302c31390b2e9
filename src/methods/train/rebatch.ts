/** A model for batches of a given number of samples. */
import { LowbitError } from "#base/errors";
import type { Model, Node, ValueInfo } from "#model/model";
import { weight } from "#model/weights";
import { inferShapes } from "#model/shapes";
import { fromNumbers, type Tensor, toNumbers } from "#model/tensor";
import { tensorOf } from "#model/shapes";
import { GraphDraft } from "#model/edit";

export interface Rebatched {
  readonly model: Model;
  /** Every input's shape, the batch included. */
  readonly inputShapes: Readonly<Record<string, readonly number[]>>;
}

/**
 * Sets the batch. A file that fixes it at one sample is opened where nothing but declarations and targets of Reshape depend on it; else
 * throws model/shape, naming the output that would not follow.
 *
 * @param sample one sample's inputs: they say the sizes that the model leaves open
 */
export async function rebatch(
  original: Model,
  sample: Readonly<Record<string, Tensor>>,
  batch: number,
): Promise<Rebatched> {
  const inputShapes: Record<string, readonly number[]> = {};
  const before: Record<string, readonly number[]> = {};
  for (const { name } of original.graph.inputs) {
    const dims = sample[name]?.dims;
    if (dims === undefined || dims.length === 0)
      throw new LowbitError("data/shape", `the samples give nothing with a batch axis for input ${name}`, {
        at: { tensor: name },
      });
    before[name] = dims;
    inputShapes[name] = [dims[0] * batch, ...dims.slice(1)];
  }
  const opened = withoutBatch(await openReshapes(original, before), inputShapes);
  const shapes = await inferShapes(opened, { inputShapes });
  const single = await inferShapes(original, { inputShapes: before });
  for (const { name } of opened.graph.outputs) {
    const from = single.get(name)?.shape?.[0];
    const to = shapes.get(name)?.shape?.[0];
    if (typeof from === "number" && to === from * batch) continue;
    throw new LowbitError(
      "model/shape",
      `output ${name} has ${to ?? "an unknown number of"} rows for ${batch} samples and ${from ?? "an unknown number"} for one: the model does not take batches`,
      { at: { tensor: name }, hint: "use --batch 1 with --accumulate, or export the model with an open batch axis" },
    );
  }
  return { model: opened, inputShapes };
}

/** Declarations without sizes that a batch of one left there. */
function withoutBatch(model: Model, inputShapes: Readonly<Record<string, readonly number[]>>): Model {
  const { graph } = model;
  const declared = (info: ValueInfo, shape: readonly number[] | undefined): ValueInfo =>
    info.type?.kind === "tensor" ? { ...info, type: { ...info.type, shape } } : info;
  return {
    ...model,
    graph: {
      ...graph,
      inputs: graph.inputs.map((info) => declared(info, inputShapes[info.name])),
      outputs: graph.outputs.map((info) => declared(info, undefined)),
      values: new Map(),
    },
  };
}

/** Reshape(x, [1, …]) of one sample → Reshape(x, [0, …]): as many rows as x has. */
async function openReshapes(model: Model, before: Readonly<Record<string, readonly number[]>>): Promise<Model> {
  const shapes = await inferShapes(model, { inputShapes: before });
  const draft = new GraphDraft(model.graph);
  for (const node of draft.nodes()) {
    const target = rowsFixedByTarget(node, (name) => {
      const known = shapes.get(name);
      return known && tensorOf(known);
    });
    const rows = shapes.get(node.inputs[0])?.shape?.[0];
    if (target === undefined || rows !== Number(target.data[0]) || rows === 0) continue;
    const dims = [...toNumbers(target)].map((dim, axis) => (axis === 0 ? 0 : dim));
    const name = draft.addInitializer(weight(`${node.inputs[1]}_open`, fromNumbers("int64", target.dims, dims)));
    draft.update(node, { inputs: [node.inputs[0], name] });
  }
  return { ...model, graph: draft.finish() };
}

function rowsFixedByTarget(node: Node, constantOf: (name: string) => Tensor | undefined): Tensor | undefined {
  if (node.domain !== "" || node.op !== "Reshape" || node.attributes.has("allowzero")) return undefined;
  const target = constantOf(node.inputs[1] ?? "");
  return target !== undefined && target.data.length > 0 && Number(target.data[0]) > 0 ? target : undefined;
}
