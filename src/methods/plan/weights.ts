/** The constants of a graph that are weights, and where their output channels and reduction lie. */
import { channelAxis } from "#methods/plan/units";
import { intsAttribute, subgraphs } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { Graph, Model, Node, TensorRef } from "#model/model";
import { sizeOf } from "#model/tensor";
import { definedNames, readsOf } from "#model/topology";

export interface WeightUse {
  readonly node: Node;
  readonly input: number;
  /**
   * What lies between weight and node. "transposed": its matrix is turned, as exporters leave it where an embedding is also the last
   * layer. "moved": it is cut, joined or reshaped, as when the gates of a recurrence change their order.
   */
  readonly by?: "transposed" | "moved";
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

/** Operators that only move what they read. */
const movers = new Set([
  "Concat",
  "Flatten",
  "Identity",
  "Reshape",
  "Slice",
  "Split",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
]);

/** Float32 constants of rank ≥ 2 in the main graph that only weighted operators read, there or in subgraphs. */
export function findWeights(model: Model, draft: GraphDraft): Weight[] {
  const weights: Weight[] = [];
  const main: Scope = {
    readers: (name) => draft.consumers(name),
    isOutput: (name) => draft.isOutput(name),
    nested: false,
  };
  for (const ref of draft.initializers().values()) {
    const { name, element, dims } = ref;
    if (element !== "float32" || dims.length < 2 || draft.isInput(name)) continue;
    const uses = usesOf(name, main, dims.length);
    if (uses === undefined || uses.length === 0) continue;
    weights.push({ ref, uses, channelAxis: channelAxisOf(uses[0], dims), reduction: reductionOf(uses[0], dims) });
  }
  const order = new Map(model.graph.nodes.map((node, i) => [node, i]));
  const first = ({ uses: [{ node }] }: Weight): number => order.get(node) ?? order.size;
  return weights.sort((a, b) => first(a) - first(b));
}

/** A graph in which a value is looked for. */
interface Scope {
  readonly readers: (name: string) => readonly Node[];
  readonly isOutput: (name: string) => boolean;
  readonly nested: boolean;
}

/** Undefined where something reads the value as anything but a weight. `rank` is undefined once it has been moved. */
function usesOf(name: string, scope: Scope, rank: number | undefined): WeightUse[] | undefined {
  if (scope.isOutput(name)) return undefined;
  const { nested } = scope;
  const uses: WeightUse[] = [];
  for (const node of scope.readers(name)) {
    const indices = node.inputs.flatMap((input, i) => (input === name ? [i] : []));
    const expected = node.domain === "" ? (weightInputs[node.op] ?? []) : [];
    if (indices.every((i) => expected.includes(i))) {
      const by = rank === undefined ? { by: "moved" as const } : {};
      uses.push(...indices.map((input) => ({ node, input, nested, ...by })));
    } else if (node.domain === "" && movers.has(node.op) && (indices.join() === "0" || node.op === "Concat")) {
      for (const output of node.outputs) {
        const through = usesOf(output, scope, undefined);
        if (through === undefined) return undefined;
        const turned =
          rank === 2 && swapsAxes(node) && through.every((use) => use.node.op === "MatMul" && use.input === 1);
        uses.push(...through.map((use) => (turned ? { ...use, by: "transposed" as const } : use)));
      }
    } else return undefined;
    for (const graph of subgraphs(node)) {
      if (definedNames(graph).has(name)) continue;
      const inner = usesOf(name, insideOf(graph), rank);
      if (inner === undefined) return undefined;
      uses.push(...inner);
    }
  }
  return uses;
}

function insideOf(graph: Graph): Scope {
  return {
    readers: (name) => graph.nodes.filter((node) => readsOf(node).includes(name)),
    isOutput: (name) => graph.outputs.some((output) => output.name === name),
    nested: true,
  };
}

/** Whether a Transpose turns a matrix. */
function swapsAxes(node: Node): boolean {
  return node.op === "Transpose" && (intsAttribute(node, "perm") ?? [1, 0]).join() === "1,0";
}

function channelAxisOf({ node, input, by }: WeightUse, dims: readonly number[]): number {
  const rank = dims.length;
  if (node.op === "Gather" || by !== undefined) return 0; // each row of a table is looked up on its own
  if (node.op === "MatMul" && input === 0) return rank - 2;
  // recurrent weights are [directions, gates·hidden, inputs]
  if (isRecurrent(node)) return 1;
  return channelAxis(node, rank);
}

function reductionOf({ node, input, by }: WeightUse, dims: readonly number[]): Weight["reduction"] {
  const from = (first: number, last: number): Weight["reduction"] => [
    sizeOf(dims.slice(0, first)),
    sizeOf(dims.slice(first, last)),
    sizeOf(dims.slice(last)),
  ];
  const rank = dims.length;
  if (by === undefined) {
    if (node.op === "ConvTranspose") return from(0, 1); // [in, out/groups, kernel…]
    if ((node.op === "MatMul" && input === 1) || (node.op === "Gemm" && channelAxis(node, rank) === 1))
      return from(rank - 2, rank - 1); // [… in, out]
    if (node.op === "MatMul" || isRecurrent(node)) return from(rank - 1, rank);
  }
  return from(1, rank); // [out, in…], and tables: [rows, …]
}

function isRecurrent({ op }: Node): boolean {
  return op === "LSTM" || op === "GRU" || op === "RNN";
}
