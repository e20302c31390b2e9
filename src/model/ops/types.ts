/**
 * What lowbit knows of one operator. One file an operator; operators that differ by a single formula (Relu, Abs, Sqrt …) share
 * a file that states each formula in a line.
 */
import type { Dim, Graph, Node } from "#model/model";
import type { GradientRule } from "#model/ops/gradient";
import type { ElementType, Tensor } from "#model/tensor";

/** What is known of a value before anything runs. */
export interface Known {
  readonly element: ElementType | undefined;
  /** undefined: not even the rank. A number, a symbol, or null per dim. */
  readonly shape: readonly Dim[] | undefined;
  /**
   * The content of a small integer tensor, where known: shapes flow through Shape → Gather → Concat → Reshape this way.
   * Elements may be symbols, as dims may. Row-major.
   */
  readonly content?: readonly Dim[];
  /** The value itself, for small constants of any type. */
  readonly value?: Tensor;
}

export interface InferContext {
  readonly node: Node;
  /** Version of the node's operator set. */
  readonly opset: number;
  /** One per input; undefined where the input is omitted. An input nothing is known of is `unknown`. */
  readonly inputs: readonly (Known | undefined)[];
  /** Infers a subgraph (If, Loop, Scan) whose inputs are known as given; the outer scope is visible inside. Returns its outputs. */
  readonly inferGraph: (graph: Graph, inputs: readonly Known[]) => readonly Known[];
}

export interface ForwardContext {
  readonly node: Node;
  readonly opset: number;
  /** One per input; undefined where the input is omitted. */
  readonly inputs: readonly (Tensor | undefined)[];
  /** Runs a subgraph with its inputs bound in order; the outer scope is visible inside. Returns its outputs. */
  readonly runGraph: (graph: Graph, inputs: readonly Tensor[]) => readonly Tensor[];
}

/** Work of one node: counted, not estimated. */
export interface Cost {
  /** Multiply-accumulates of convolutions and matrix products; 0 elsewhere. */
  readonly macs: number;
  /** Other arithmetic, one per output element and step: additions, comparisons, exponentials alike. */
  readonly flops: number;
}

export interface Op {
  /** "" is ai.onnx. */
  readonly domain: string;
  readonly name: string;
  /** Types and shapes of the outputs. Never throws for what it cannot know: it answers `unknown`. */
  readonly infer: (context: InferContext) => readonly Known[];
  /** Undefined: moves data only. Called with concrete shapes. */
  readonly cost?: (node: Node, inputs: readonly (Known | undefined)[], outputs: readonly Known[]) => Cost;
  /** The plain definition, slow and readable. Sums accumulate in float64. */
  readonly forward?: (context: ForwardContext) => readonly Tensor[];
  /** How a gradient passes through, where it does. */
  readonly gradient?: GradientRule;
}

export const unknown: Known = { element: undefined, shape: undefined };
