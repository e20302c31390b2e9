/**
 * The parts of a graph that could compute on 8-bit codes. A unit is one node with an int8 kernel, together with the Relu or Clip
 * after it, which costs nothing on codes: the quantizer's own clamp performs it.
 */
import { GraphDraft } from "#model/edit";
import type { Model, Node } from "#model/model";
import type { Known } from "#model/ops/types";
import { endless } from "#quant/affine";
import type { Int8Kernel } from "#targets/int8Kernels";
import { readWeight } from "#model/weights";
import { sizeOf, toNumbers } from "#model/tensor";

export interface Unit {
  readonly node: Node;
  readonly kernel: Int8Kernel;
  /** Relu or Clip that the output's quantizer performs, with its bounds. */
  readonly activation?: { readonly node: Node; readonly low: number; readonly high: number };
  /** Values that arrive as codes. */
  readonly operands: readonly string[];
  /** Constant operand with a scale per channel: weights of Conv, Gemm, MatMul. */
  readonly weight?: { readonly tensor: string; readonly axis: number };
  readonly bias?: string;
  /** Constant operands quantized as a whole: the number in x + 3. */
  readonly constants: readonly string[];
  /** The value that leaves the unit, after the activation. */
  readonly output: string;
}

/** What a target says of a node; see targets/int8Kernels. */
export type KernelLookup = (
  node: Node,
  opset: number,
) => { readonly kernel: Int8Kernel; readonly operands: readonly number[] } | undefined;

/** All units, in graph order. `why` collects, for weighted nodes that are none, the reason. */
export async function findUnits(
  model: Model,
  shapes: ReadonlyMap<string, Known>,
  kernelOf: KernelLookup,
): Promise<{ readonly units: readonly Unit[]; readonly why: ReadonlyMap<string, string> }> {
  const draft = new GraphDraft(model.graph);
  const opset = model.opsets.get("") ?? 0;
  const units: Unit[] = [];
  const why = new Map<string, string>();
  const isFloat = (name: string): boolean =>
    (draft.initializer(name)?.element ?? shapes.get(name)?.element) === "float32";
  for (const node of model.graph.nodes) {
    const support = kernelOf(node, opset);
    if (support === undefined) {
      if (node.inputs.some((name) => isWeight(draft, name)))
        why.set(node.outputs[0], `the runtime has no int8 kernel for ${node.op}`);
      continue;
    }
    const found = readOperands(draft, node, support.operands, support.kernel);
    if (typeof found === "string") {
      why.set(node.outputs[0], found);
      continue;
    }
    if (
      found.operands.length === 0 ||
      !found.operands.every(isFloat) ||
      !node.outputs.filter((name) => name !== "").every(isFloat)
    ) {
      if (found.weight !== undefined) why.set(node.outputs[0], "its activations are not float32");
      continue;
    }
    const mask = await firstMask(draft, found.constants);
    if (mask !== undefined) {
      why.set(node.outputs[0], `its constant ${mask} holds numbers beyond ±${endless}, or NaN`);
      continue;
    }
    const activation = support.kernel.kind === "moves" ? undefined : await absorbable(draft, node);
    units.push({
      node,
      kernel: support.kernel,
      ...found,
      ...(activation === undefined ? {} : { activation }),
      output: activation?.node.outputs[0] ?? node.outputs[0],
    });
  }
  return { units, why };
}

/** The first of the constants that holds more than a signal can be, as the masks of attention do. */
async function firstMask(draft: GraphDraft, constants: readonly string[]): Promise<string | undefined> {
  for (const name of constants) {
    const ref = draft.initializer(name);
    if (ref !== undefined && !toNumbers(await readWeight(ref)).every((x) => Math.abs(x) < endless)) return name;
  }
  return undefined;
}

function isWeight(draft: GraphDraft, name: string): boolean {
  const ref = draft.initializer(name);
  return ref !== undefined && !draft.isInput(name) && ref.element === "float32" && ref.dims.length >= 2;
}

type Operands = Pick<Unit, "operands" | "weight" | "bias" | "constants">;

/** Sorts a node's inputs into codes, weights, bias and constants; a string says why that is impossible. */
function readOperands(
  draft: GraphDraft,
  node: Node,
  indices: readonly number[],
  kernel: Int8Kernel,
): Operands | string {
  const constant = (name: string): boolean => draft.initializer(name) !== undefined && !draft.isInput(name);
  if (kernel.kind !== "linear") {
    const names = indices.map((i) => node.inputs[i]).filter((name) => name !== undefined && name !== "");
    return { operands: names.filter((name) => !constant(name)), constants: names.filter(constant) };
  }
  const [x, w, b] = node.inputs;
  if (constant(x)) return "its first operand is a constant";
  if (node.op === "MatMul" && !constant(w)) return { operands: [x, w], constants: [] };
  if (!constant(w)) return "its weights are computed by the graph";
  if (draft.initializer(w)?.element !== "float32") return `its weights are ${draft.initializer(w)?.element}`;
  if (b !== undefined && b !== "" && !constant(b)) return "its bias is computed by the graph";
  const biasSize = b ? sizeOf(draft.initializer(b)?.dims ?? []) : undefined;
  const rank = draft.initializer(w)?.dims.length ?? 0;
  if (rank < 2) return "its weight is a vector";
  const axis = channelAxis(node, rank);
  if (biasSize !== undefined && biasSize !== draft.initializer(w)?.dims[axis])
    return "its bias is not one number a channel";
  return {
    operands: [x],
    weight: { tensor: w, axis },
    ...(b ? { bias: b } : {}),
    constants: [],
  };
}

/** Axis of the output channels in the weight of a linear node. */
export function channelAxis(node: Node, rank: number): number {
  if (node.op === "Conv") return 0;
  if (node.op === "ConvTranspose") return 1;
  if (node.op === "Gemm") return node.attributes.get("transB")?.value === 1 ? 0 : 1;
  return rank - 1;
}

/** The Relu or Clip that is the only reader of a node's only output. */
async function absorbable(draft: GraphDraft, node: Node): Promise<Unit["activation"]> {
  const [output, ...others] = node.outputs;
  const readers = draft.consumers(output);
  if (others.some((name) => name !== "") || readers.length !== 1 || draft.isOutput(output)) return undefined;
  const [reader] = readers;
  if (reader.domain !== "" || reader.inputs[0] !== output) return undefined;
  if (reader.op === "Relu") return { node: reader, low: 0, high: Number.POSITIVE_INFINITY };
  if (reader.op !== "Clip") return undefined;
  const bound = async (index: number, attribute: string, absent: number): Promise<number | undefined> => {
    const name = reader.inputs[index];
    const stated = reader.attributes.get(attribute);
    if (stated?.kind === "float") return stated.value;
    if (name === undefined || name === "") return absent;
    const ref = draft.initializer(name);
    return ref === undefined || draft.isInput(name) ? undefined : toNumbers(await readWeight(ref))[0];
  };
  const low = await bound(1, "min", Number.NEGATIVE_INFINITY);
  const high = await bound(2, "max", Number.POSITIVE_INFINITY);
  // the codes always contain 0, so a clip that excludes it cannot be theirs
  return low === undefined || high === undefined || low > 0 || high < 0 ? undefined : { node: reader, low, high };
}
