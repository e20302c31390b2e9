/**
 * What a runtime does when it runs a graph: one step a kernel, with the values it really reads and writes. Nodes inside a kernel are no
 * steps, and constant nodes were evaluated when the model was loaded.
 */
import { intAttribute, subgraphs } from "#model/attributes";
import type { Graph, Node } from "#model/model";
import { isConcrete } from "#model/ops/known";
import type { Known } from "#model/ops/types";
import type { ShapeMap } from "#model/shapes";
import { elementTypes, packedBytes, sizeOf } from "#model/tensor";
import { readsOf, sortNodes } from "#model/topology";
import type { Constant, Constants } from "#report/graph/constants";
import { findFusion, type Fused } from "#report/graph/fusion";
import { quantizedOperands } from "#report/graph/quantizedOperands";

/** What the products of a step are computed in. */
export type Arithmetic =
  | { readonly kind: "float"; readonly bits: number }
  /** Codes of these widths, summed up in int32. */
  | { readonly kind: "integer"; readonly bits: readonly [weights: number, activations: number] };

export interface Step {
  readonly node: Node;
  /** The kernel it is fused into, with the Q, DQ and clamps inside. */
  readonly fused: Fused | undefined;
  readonly arithmetic: Arithmetic;
  /** Values read, each once; those that a subgraph of the node captures are read by the subgraph's steps. */
  readonly reads: readonly Read[];
  readonly writes: readonly string[];
  /** Values that a subgraph of the node captures: they must stay alive. */
  readonly captures: readonly string[];
  /** The result is the first input under another shape; nothing is copied. */
  readonly view: boolean;
}

export interface Read {
  readonly value: string;
  /** Where the value was known when the model was loaded. */
  readonly constant: Constant | undefined;
}

const views = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout"]);

/** `constants` of `findConstants` with `evaluatedAtLoad`. Steps come in the order of the nodes. */
export function executionSteps(graph: Graph, opset: number, shapes: ShapeMap, constants: Constants): Step[] {
  const { kernels, absorbed } = findFusion(graph, opset, shapes);
  const steps: Step[] = [];
  const last = new Map<Node, Fused>();
  for (const fused of kernels.values())
    if (fused.chain.length > 0) last.set(fused.chain[fused.chain.length - 1], fused);
  for (const node of sortNodes(graph.nodes)) {
    const fused = kernels.get(node);
    // a kernel that adds another value to its result runs when that is there
    const ended = last.get(node);
    if (ended !== undefined) steps.push(stepOf(ended.node, ended, shapes, constants));
    else if (!constants.nodes.has(node) && !absorbed.has(node) && (fused?.chain.length ?? 0) === 0)
      steps.push(stepOf(node, fused, shapes, constants));
  }
  return steps;
}

function stepOf(node: Node, fused: Fused | undefined, shapes: ShapeMap, constants: Constants): Step {
  const chain = fused?.chain ?? [];
  const inside = new Set([node, ...chain].flatMap(({ outputs }) => outputs));
  const all = [node, ...chain].flatMap((part) =>
    part.inputs.flatMap((_, i) => readsOfInput(part, i, part === node ? fused : undefined, constants)),
  );
  // of a normalization that was folded, nothing is read
  const folded = new Set(chain.filter(({ op }) => op === "BatchNormalization").flatMap(({ inputs }) => inputs));
  const reads = new Map(
    all.filter(({ value }) => !folded.has(value) && !inside.has(value)).map((read) => [read.value, read]),
  );
  const own = new Set(node.inputs);
  const last = chain.at(-1);
  return {
    node,
    fused,
    arithmetic: arithmeticOf(node, fused, shapes),
    reads: [...reads.values()],
    writes: (last ?? node).outputs
      .map((name, i) => fused?.quantize.get(i)?.node.outputs[0] ?? name)
      .filter((name) => name !== ""),
    captures: subgraphs(node).length === 0 ? [] : readsOf(node).filter((name) => !own.has(name)),
    view: views.has(node.op) && node.domain === "" && node.outputs.slice(1).every((name) => name === ""),
  };
}

function readsOfInput(node: Node, input: number, fused: Fused | undefined, constants: Constants): Read[] {
  const dequantize = fused?.dequantize.get(input);
  if (dequantize !== undefined)
    return dequantize.inputs.flatMap((_, i) => readsOfInput(dequantize, i, undefined, constants));
  const value = node.inputs[input];
  return value === "" ? [] : [{ value, constant: constants.operands.get(node)?.[input] }];
}

function arithmeticOf(node: Node, fused: Fused | undefined, shapes: ShapeMap): Arithmetic {
  const width = (value: string | undefined): number => {
    const element = shapes.get(value ?? "")?.element;
    return element === undefined ? 8 : elementTypes[element].bits;
  };
  if (fused !== undefined && fused.dequantize.size > 0) {
    const [x, w] = [fused.dequantize.get(0), fused.dequantize.get(1) ?? fused.dequantize.get(0)];
    // blocks: the runtime quantizes the other factor to int8 by itself (stack.md §1.1 P5)
    return { kind: "integer", bits: [width(w?.inputs[0]), x === undefined ? 8 : width(x.inputs[0])] };
  }
  if (node.op === "MatMulNBits" && node.domain === "com.microsoft") {
    const bits = intAttribute(node, "bits", 4);
    if (intAttribute(node, "accuracy_level", 0) === 4) return { kind: "integer", bits: [bits, 8] };
    return { kind: "float", bits: floatWidth(node, shapes) };
  }
  const operands = quantizedOperands(node).filter(
    ({ codes, scale, zero }) => codes !== undefined && (scale ?? zero) !== undefined,
  );
  if (operands.length === 0 || !integerOperators.has(node.op)) return { kind: "float", bits: floatWidth(node, shapes) };
  const widths = operands.map(({ codes }) => width(node.inputs[codes ?? 0]));
  return { kind: "integer", bits: [widths[widths.length - 1], widths.length > 1 ? widths[0] : 8] };
}

/** Operators that are defined on codes; those that look codes up or convert them compute in float. */
const integerOperators = new Set([
  "QLinearConv",
  "QLinearMatMul",
  "MatMulInteger",
  "ConvInteger",
  "QGemm",
  "DynamicQuantizeMatMul",
  "MatMulIntegerToFloat",
  "DynamicQuantizeLSTM",
  "QAttention",
]);

function floatWidth(node: Node, shapes: ShapeMap): number {
  for (const value of [...node.inputs, ...node.outputs]) {
    const element = shapes.get(value)?.element;
    if (element !== undefined && /float/.test(element) && elementTypes[element].bits >= 16)
      return elementTypes[element].bits;
  }
  return 32;
}

/** Bytes of a value in memory; undefined where its shape or type is not known. Sub-byte elements are packed. */
export function bytesOf(known: Known | undefined): number | undefined {
  if (known?.element === undefined || !isConcrete(known.shape)) return undefined;
  return packedBytes(known.element, sizeOf(known.shape));
}

/** Bytes that a constant occupies in memory once the model is loaded. */
export function loadedBytes(constant: Constant, shapes: ShapeMap): number | undefined {
  if (constant.inputs.length === 0 && constant.primary !== undefined) return constant.primary.bytes;
  return bytesOf(shapes.get(constant.value));
}
