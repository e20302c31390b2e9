/**
 * How an operator passes a gradient on: reverse mode, as nodes. A rule gets the names of dL/dy for its outputs and writes standard
 * ONNX nodes that compute dL/dx for its inputs, so that any runtime that runs the model can train it.
 */
import type { AttributeInit } from "#model/attributes";
import type { Node } from "#model/model";
import type { ElementType, Tensor } from "#model/tensor";

/** Writes the nodes of the backward pass. Every value it is asked about has a known, concrete shape. */
export interface GradientWriter {
  /** Adds a node and returns its first output; `outputs` names how many it has. */
  node(
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeInit>>,
    more?: { readonly domain?: string; readonly outputs?: number },
  ): string;
  /** The further outputs of a node that `node` made, by its first. */
  outputsOf(first: string): readonly string[];
  /** An output of a node of the model: a fresh name, and the node computes it from now on, where it was an optional one left out. */
  outputOf(node: Node, index: number): string;
  /** A constant. */
  tensor(value: Tensor): string;
  /** A constant of the type of the node's outputs: float32, float64 in checks. */
  scalar(value: number): string;
  /** A constant int64 vector: shapes, axes, pads. */
  integers(values: readonly number[]): string;
  shapeOf(value: string): readonly number[];
  typeOf(value: string): ElementType;
  /** The content of a constant, or of what follows from shapes; undefined for what is computed, given, or differentiated for. */
  constantOf(value: string): Tensor | undefined;
  /** A gradient summed over what broadcasting repeated, so that it has `shape`. Long sums of everything go in stages, for float32's sake. */
  sumTo(gradient: string, shape: readonly number[]): string;
}

export interface GradientContext {
  readonly node: Node;
  readonly opset: number;
  /** dL/dy, one per output; undefined where an output does not reach the loss. At least one is there. */
  readonly gradients: readonly (string | undefined)[];
  /** Which inputs' gradients are asked for: others need not be written. */
  readonly wanted: readonly boolean[];
  readonly write: GradientWriter;
}

/** dL/dx, one per input; undefined where an input has none (indices, shapes) or is not wanted. */
export type GradientRule = (context: GradientContext) => readonly (string | undefined)[];
