/**
 * Which nodes a runtime makes one kernel of. On codes: an operator between DequantizeLinear and QuantizeLinear, if the table of kernels
 * has one and the graph the exact form (ONNX Runtime's QDQ selectors; measured in `#targets/int8Kernels`). In float: what follows a
 * product element by element (`resultChain`). Values inside a kernel never exist in memory. Exceptions of single processors are not
 * made here but told by `#report/lints` (int8 activations with several readers, on x64).
 */
import { intAttribute } from "#model/attributes";
import type { Graph, Node } from "#model/model";
import type { ShapeMap } from "#model/shapes";
import { codeRangeOf } from "#model/ops/quantization";
import { sizeOf, toNumbers } from "#model/tensor";
import { readsOf } from "#model/topology";
import { int8Kernel } from "#targets/int8Kernels";

/** One kernel made of several nodes. */
export interface Fused {
  readonly node: Node;
  /**
   * On codes, "linear" accumulates in int32, "pointwise" rescales each operand, "moves" copies. "blocks" decodes weights block by block
   * as it multiplies. "float" and "scaled" (an integer product that is turned into floats) do what follows in the same pass.
   */
  readonly kind: "linear" | "pointwise" | "moves" | "blocks" | "float" | "scaled";
  /** By input of the node: the DequantizeLinear whose codes the kernel reads. */
  readonly dequantize: ReadonlyMap<number, Node>;
  /** By output of the node: the Relu or Clip that the quantizer performs, and the QuantizeLinear. Empty: the result stays float. */
  readonly quantize: ReadonlyMap<number, { readonly clamp: Node | undefined; readonly node: Node }>;
  /** Nodes after it that it performs on its result, in order. */
  readonly chain: readonly Node[];
}

export interface Fusion {
  readonly kernels: ReadonlyMap<Node, Fused>;
  /** Nodes that do not run by themselves. */
  readonly absorbed: ReadonlySet<Node>;
}

/** Links of one graph. */
export interface Links {
  readonly producers: ReadonlyMap<string, Node>;
  readonly readers: ReadonlyMap<string, readonly Node[]>;
  readonly outputs: ReadonlySet<string>;
}

export function linksOf(graph: Graph): Links {
  const producers = new Map<string, Node>();
  const readers = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const name of node.outputs) if (name !== "") producers.set(name, node);
    for (const name of readsOf(node)) {
      const list = readers.get(name);
      if (list === undefined) readers.set(name, [node]);
      else list.push(node);
    }
  }
  return { producers, readers, outputs: new Set(graph.outputs.map(({ name }) => name)) };
}

/** The kernels of one graph; those of its subgraphs are their own. */
export function findFusion(graph: Graph, opset: number, shapes: ShapeMap, links = linksOf(graph)): Fusion {
  const kernels = new Map<Node, Fused>();
  for (const node of graph.nodes) {
    const fused = fuse(node, opset, shapes, links);
    if (fused !== undefined) kernels.set(node, fused);
  }
  const claimed = new Set<Node>();
  for (const node of graph.nodes) {
    const chain = kernels.has(node) ? [] : resultChain(node, shapes, links, claimed);
    if (chain.length === 0) continue;
    for (const part of chain) claimed.add(part);
    const kind = node.op === "MatMulInteger" ? "scaled" : "float";
    kernels.set(node, { node, kind, dequantize: new Map(), quantize: new Map(), chain });
  }
  const absorbed = new Set<Node>();
  const readers = new Map<Node, number>();
  for (const { dequantize, quantize, chain } of kernels.values()) {
    for (const node of chain) absorbed.add(node);
    for (const { clamp, node } of quantize.values()) {
      absorbed.add(node);
      if (clamp !== undefined) absorbed.add(clamp);
    }
    for (const node of new Set(dequantize.values())) readers.set(node, (readers.get(node) ?? 0) + 1);
  }
  for (const [node, count] of readers) {
    const [value] = node.outputs;
    if (!links.outputs.has(value) && links.readers.get(value)?.length === count) absorbed.add(node);
  }
  return { kernels, absorbed };
}

function fuse(node: Node, opset: number, shapes: ShapeMap, links: Links): Fused | undefined {
  const dequantized = (input: number): Node | undefined => {
    const producer = links.producers.get(node.inputs[input] ?? "");
    return producer?.op === "DequantizeLinear" ? producer : undefined;
  };
  const blocks = dequantized(1);
  if (node.op === "MatMul" && blocks !== undefined && intAttribute(blocks, "block_size", 0) > 0)
    return { node, kind: "blocks", dequantize: new Map([[1, blocks]]), quantize: new Map(), chain: [] };
  const support = int8Kernel(node, opset);
  if (support === undefined) return undefined;
  const { kind } = support.kernel;
  const dequantize = new Map<number, Node>();
  for (const input of kind === "linear" ? node.inputs.keys() : support.operands) {
    if ((node.inputs[input] ?? "") === "") continue;
    const producer = dequantized(input);
    if (producer === undefined || !fits(producer, kind, input, shapes)) return undefined;
    dequantize.set(input, producer);
  }
  if (dequantize.size === 0) return undefined;
  const quantize: [number, { readonly clamp: Node | undefined; readonly node: Node }][] = [];
  for (const [i, name] of node.outputs.entries()) {
    const found = name === "" ? undefined : quantizerAfter(name, kind !== "moves", shapes, links);
    if (found !== undefined) quantize.push([i, found]);
    else if (name !== "" && !(support.kernel.kind === "linear" && support.kernel.floatOutput)) return undefined;
  }
  if (kind === "moves" && !quantize.every(([, q]) => sameParameters(q.node, [...dequantize.values()][0], shapes)))
    return undefined;
  return { node, kind, dequantize, quantize: new Map(quantize), chain: [] };
}

/** What a product's kernel does to its result, as the operators that may follow it, each at most once and in this order. */
const chains: ReadonlyMap<string, readonly string[]> = new Map([
  ["Conv", ["BatchNormalization", "Add", "activation"]],
  ["Gemm", ["activation"]],
  ["MatMul", ["Add", "activation"]],
  ["MatMulInteger", ["Cast", "Mul", "Add"]],
]);

const activations = new Set(["Relu", "Clip", "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid"]);

/**
 * The nodes after a product that runtimes fuse into it: normalization is folded into its weights, a sum or an activation done while the
 * result is still in a register (ONNX Runtime's ConvBN, ConvAddActivation, MatMulAdd, GemmActivation and MatMulIntegerToFloat fusions).
 */
function resultChain(node: Node, shapes: ShapeMap, links: Links, claimed: ReadonlySet<Node>): Node[] {
  const allowed = (node.domain === "" ? chains.get(node.op) : undefined) ?? [];
  const chain: Node[] = [];
  let [value] = node.outputs;
  for (let next = 0; next < allowed.length; ) {
    const [reader, ...others] = links.readers.get(value) ?? [];
    if (reader === undefined || others.length > 0 || links.outputs.has(value) || reader.domain !== "") break;
    const at = allowed.indexOf(activations.has(reader.op) ? "activation" : reader.op, next);
    if (at < 0 || claimed.has(reader) || reader.outputs.length > 1 || !sameSize(value, reader.outputs[0], shapes))
      break;
    chain.push(reader);
    [value] = reader.outputs;
    next = at + 1;
  }
  // an integer product alone gives int32: only its whole conversion is a kernel
  return node.op === "MatMulInteger" && chain[1]?.op !== "Mul" ? [] : chain;
}

/** Whether a result has as many elements as what it is computed from. */
function sameSize(from: string, to: string, shapes: ShapeMap): boolean {
  const [a, b] = [shapes.get(from)?.shape, shapes.get(to)?.shape];
  return a !== undefined && a.length === b?.length && a.every((dim, axis) => dim !== null && dim === b[axis]);
}

/** Whether a kernel reads what this DequantizeLinear decodes: 8-bit codes, a bias of int32, one scale for an activation. */
function fits(dequantize: Node, kind: Fused["kind"], input: number, shapes: ShapeMap): boolean {
  const [codes, scale] = dequantize.inputs.map((name) => shapes.get(name));
  if (kind === "linear" && input >= 2) return codes?.element === "int32";
  if (codes?.element !== "int8" && codes?.element !== "uint8") return false;
  if (kind === "linear" && input === 1) return true;
  return scale?.shape === undefined || scale.shape.every((dim) => dim === 1);
}

/** The QuantizeLinear that alone reads a value, perhaps through a clamp that its range performs anyway. */
function quantizerAfter(
  value: string,
  clamps: boolean,
  shapes: ShapeMap,
  links: Links,
): { readonly clamp: Node | undefined; readonly node: Node } | undefined {
  const [reader, ...others] = links.readers.get(value) ?? [];
  if (reader === undefined || others.length > 0 || links.outputs.has(value) || reader.inputs[0] !== value)
    return undefined;
  if (reader.op === "QuantizeLinear") return is8Bit(reader, shapes) ? { clamp: undefined, node: reader } : undefined;
  if (!clamps || reader.domain !== "" || (reader.op !== "Relu" && reader.op !== "Clip")) return undefined;
  const after = quantizerAfter(reader.outputs[0], false, shapes, links);
  return after !== undefined && performs(after.node, reader, shapes) ? { clamp: reader, node: after.node } : undefined;
}

function is8Bit(quantize: Node, shapes: ShapeMap): boolean {
  const element = shapes.get(quantize.outputs[0])?.element;
  return element === "int8" || element === "uint8";
}

/** Whether the range of the codes lies within the clamp's, so that the clamp changes nothing. */
function performs(quantize: Node, clamp: Node, shapes: ShapeMap): boolean {
  const element = shapes.get(quantize.outputs[0])?.element;
  const scale = numberOf(quantize.inputs[1], shapes);
  const zero = (quantize.inputs[2] ?? "") === "" ? 0 : numberOf(quantize.inputs[2], shapes);
  if (element === undefined || scale === undefined || zero === undefined) return false;
  const [low, high] = clamp.op === "Relu" ? [0, Number.POSITIVE_INFINITY] : clipRange(clamp, shapes);
  const [first, last] = codeRangeOf(element);
  // ONNX Runtime's own tolerance: the float32 epsilon
  const epsilon = 1.1920929e-7;
  return low - (first - zero) * scale <= epsilon && (last - zero) * scale - high <= epsilon;
}

function clipRange(clip: Node, shapes: ShapeMap): readonly [number, number] {
  const bound = (input: number, name: string, absent: number): number => {
    const attribute = clip.attributes.get(name);
    if (attribute?.kind === "float") return attribute.value;
    if ((clip.inputs[input] ?? "") === "") return absent;
    // a bound that nobody knows lies inside every range
    return numberOf(clip.inputs[input], shapes) ?? -absent;
  };
  return [bound(1, "min", Number.NEGATIVE_INFINITY), bound(2, "max", Number.POSITIVE_INFINITY)];
}

function sameParameters(quantize: Node, dequantize: Node, shapes: ShapeMap): boolean {
  return [1, 2].every((input) => {
    const [a, b] = [quantize.inputs[input], dequantize.inputs[input]];
    if (a === b) return true;
    const [x, y] = [numberOf(a, shapes), numberOf(b, shapes)];
    return x !== undefined && x === y;
  });
}

/** A scalar that is known before the model runs. */
function numberOf(name: string | undefined, shapes: ShapeMap): number | undefined {
  const value = shapes.get(name ?? "")?.value;
  return value === undefined || sizeOf(value.dims) !== 1 || value.type === "string" ? undefined : toNumbers(value)[0];
}
