/** The constants of a graph that are weights, and where their output channels and reduction lie. */
import { channelAxis } from "#methods/plan/units";
import { intsAttribute, subgraphs } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { Model, Node, TensorRef } from "#model/model";
import { sizeOf } from "#model/tensor";
import { definedNames } from "#model/topology";

export interface WeightUse {
  readonly node: Node;
  readonly input: number;
  /** A Transpose between weight and node, as exporters leave it where an embedding is also the last layer. */
  readonly transpose?: Node;
  /** Whether the node is in a subgraph, which captures the weight. */
  readonly nested: boolean;
}

export interface Weight {
  readonly ref: TensorRef;
  /** All nodes that read it: more than one where weights are tied. */
  readonly uses: readonly WeightUse[];
  /** Axis of the output channels, by its first use. */
  readonly channelAxis: number;
  /** The weight seen as [outer, length, inner], where sums run over `length`: what groups divide. By its first use. */
  readonly reduction: readonly [outer: number, length: number, inner: number];
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

/** Float32 constants of rank ≥ 2 in the main graph that only weighted operators read, there or in subgraphs. */
export function findWeights(model: Model, draft: GraphDraft): Weight[] {
  const weights: Weight[] = [];
  for (const ref of draft.initializers().values()) {
    const { name, element, dims } = ref;
    if (element !== "float32" || dims.length < 2 || draft.isInput(name) || draft.isOutput(name)) continue;
    const uses = usesOf(ref, draft.consumers(name), draft);
    if (uses === undefined || uses.length === 0) continue;
    weights.push({ ref, uses, channelAxis: channelAxisOf(uses[0], dims), reduction: reductionOf(uses[0], dims) });
  }
  const order = new Map(model.graph.nodes.map((node, i) => [node, i]));
  const first = ({ uses: [{ node }] }: Weight): number => order.get(node) ?? order.size;
  return weights.sort((a, b) => first(a) - first(b));
}

/** Undefined where something reads the value as anything but a weight. */
function usesOf(ref: TensorRef, readers: readonly Node[], draft: GraphDraft, nested = false): WeightUse[] | undefined {
  const { name } = ref;
  const uses: WeightUse[] = [];
  for (const node of readers) {
    const indices = node.inputs.flatMap((input, i) => (input === name ? [i] : []));
    const expected = node.domain === "" ? (weightInputs[node.op] ?? []) : [];
    if (indices.every((i) => expected.includes(i))) uses.push(...indices.map((input) => ({ node, input, nested })));
    else if (swapsAxes(node, ref.dims.length) && !nested && !draft.isOutput(node.outputs[0])) {
      const through = draft.consumers(node.outputs[0]);
      if (!through.every((reader) => reader.op === "MatMul" && reader.inputs[1] === node.outputs[0])) return undefined;
      uses.push(...through.map((reader) => ({ node: reader, input: 1, transpose: node, nested })));
    } else return undefined;
    for (const graph of subgraphs(node)) {
      if (definedNames(graph).has(name)) continue;
      if (graph.outputs.some((output) => output.name === name)) return undefined;
      const inside = graph.nodes.filter((each) => mentions(each, name));
      const inner = usesOf(ref, inside, draft, true);
      if (inner === undefined) return undefined;
      uses.push(...inner);
    }
  }
  return uses;
}

function mentions(node: Node, name: string): boolean {
  return (
    node.inputs.includes(name) ||
    subgraphs(node).some(
      (graph) => !definedNames(graph).has(name) && graph.nodes.some((inner) => mentions(inner, name)),
    )
  );
}

/** Whether a node is the transposition of a matrix. */
function swapsAxes(node: Node, rank: number): boolean {
  if (node.op !== "Transpose" || node.domain !== "" || rank !== 2) return false;
  return (intsAttribute(node, "perm") ?? [1, 0]).join() === "1,0";
}

function channelAxisOf({ node, input, transpose }: WeightUse, dims: readonly number[]): number {
  const rank = dims.length;
  if (node.op === "Gather" || transpose !== undefined) return 0; // each row of a table is looked up on its own
  if (node.op === "MatMul" && input === 0) return rank - 2;
  // recurrent weights are [directions, gates·hidden, inputs]
  if (isRecurrent(node)) return 1;
  return channelAxis(node, rank);
}

function reductionOf({ node, input, transpose }: WeightUse, dims: readonly number[]): Weight["reduction"] {
  const from = (first: number, last: number): Weight["reduction"] => [
    sizeOf(dims.slice(0, first)),
    sizeOf(dims.slice(first, last)),
    sizeOf(dims.slice(last)),
  ];
  const rank = dims.length;
  if (node.op === "ConvTranspose") return from(0, 1); // [in, out/groups, kernel…]
  const rows =
    (node.op === "MatMul" && input === 1 && transpose === undefined) ||
    (node.op === "Gemm" && channelAxis(node, rank) === 1);
  if (rows) return from(rank - 2, rank - 1); // [… in, out]
  if (node.op === "MatMul" || isRecurrent(node)) return from(rank - 1, rank);
  return from(1, rank); // [out, in…], and tables: [rows, …]
}

function isRecurrent({ op }: Node): boolean {
  return op === "LSTM" || op === "GRU" || op === "RNN";
}
