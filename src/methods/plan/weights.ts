/** The constants of a graph that are weights, and where their output channels and reduction lie. */
import { channelAxis } from "#methods/plan/units";
import type { GraphDraft } from "#model/edit";
import type { Model, Node, TensorRef } from "#model/model";

export interface WeightUse {
  readonly node: Node;
  readonly input: number;
}

export interface Weight {
  readonly ref: TensorRef;
  /** All nodes that read it: more than one where weights are tied. */
  readonly uses: readonly WeightUse[];
  /** Axis of the output channels, by its first use. */
  readonly channelAxis: number;
}

/** Inputs of an operator that are weights, by position. */
const weightInputs: Readonly<Record<string, readonly number[]>> = {
  Conv: [1],
  ConvTranspose: [1],
  Gemm: [1],
  MatMul: [0, 1],
  Gather: [0],
  LSTM: [1, 2],
  GRU: [1, 2],
  RNN: [1, 2],
};

/** Float32 constants of rank ≥ 2 that only weighted operators of the main graph read. */
export function findWeights(model: Model, draft: GraphDraft): Weight[] {
  const found = new Map<string, WeightUse[]>();
  for (const node of model.graph.nodes) {
    for (const input of node.domain === "" ? (weightInputs[node.op] ?? []) : []) {
      const name = node.inputs[input];
      const ref = name === undefined ? undefined : draft.initializer(name);
      if (
        ref === undefined ||
        draft.isInput(name) ||
        draft.isOutput(name) ||
        ref.element !== "float32" ||
        ref.dims.length < 2
      )
        continue;
      found.set(name, [...(found.get(name) ?? []), { node, input }]);
    }
  }
  const weights: Weight[] = [];
  for (const [name, uses] of found) {
    const ref = draft.initializer(name);
    const others = draft.consumers(name).some((node) => !uses.some((use) => use.node === node));
    if (ref === undefined || others) continue;
    const [{ node, input }] = uses;
    weights.push({ ref, uses, channelAxis: axisOf(node, input, ref.dims.length) });
  }
  return weights;
}

function axisOf(node: Node, input: number, rank: number): number {
  if (node.op === "Gather") return 0; // each row of a table is looked up on its own
  if (node.op === "MatMul" && input === 0) return rank - 2;
  // recurrent weights are [directions, gates·hidden, inputs]
  if (node.op === "LSTM" || node.op === "GRU" || node.op === "RNN") return 1;
  return channelAxis(node, rank);
}
