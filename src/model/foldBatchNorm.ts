/**
 * Folds batch normalization, and other per-channel scales and shifts with constant operands, into the linear layer beside it:
 *
 *   y = γ·(x − μ)/√(σ² + ε) + β = a·x + b,   a = γ/√(σ² + ε),  b = β − a·μ
 *   after a layer:   W′ = a·W (per output channel),  bias′ = a·bias + b
 *   before a layer:  W′[o,c] = W[o,c]·a[c],          bias′[o] = bias[o] + Σ W[o,c]·b[c]   (only without padding: padding is 0, not b)
 *
 * A MatMul of matrices becomes a Gemm to take a bias: between Q and DQ, runtimes compute the Gemm with its bias in integers and leave
 * the sum after a MatMul to floats. A normalization with no layer beside it becomes a 1×1 depthwise convolution where its input is an image: that is what runtimes
 * turn it into, and what can be quantized. (field.md §1.4; Jacob et al. 2018 §3.2 for the fold.)
 */
import { floatAttribute, intAttribute, intsAttribute, stringAttribute } from "#model/attributes";
import { createNode } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Model, Node, TensorRef } from "#model/model";
import type { Known } from "#model/ops/types";
import { float32, sizeOf, toNumbers } from "#model/tensor";
import { derivedWeight, readWeight, weight } from "#model/weights";

/** y[c] = scale[c]·x[c] + shift[c]. */
interface ScaleShift {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** The model without the normalizations that could be folded. `shapes` of inferShapes tells ranks. */
export async function foldBatchNorm(model: Model, shapes: ReadonlyMap<string, Known>): Promise<Model> {
  const draft = new GraphDraft(model.graph);
  const rank = (name: string): number | undefined =>
    shapes.get(name)?.shape?.length ?? draft.initializer(name)?.dims.length;
  for (const original of draft.nodes()) {
    const node = draft.current(original);
    if (node === undefined || node.domain !== "") continue;
    const found = await scaleShiftOf(draft, node, shapes);
    if (found === undefined) continue;
    const { input, transform } = found;
    if (
      (await foldIntoProducer(draft, node, input, transform, rank)) ||
      (await foldIntoConsumer(draft, node, input, transform))
    )
      continue;
    if (node.op === "BatchNormalization" && rank(input) === 4) toDepthwise(draft, node, input, transform);
  }
  draft.removeUnused();
  return { ...model, graph: draft.finish() };
}

async function constantOf(
  draft: GraphDraft,
  name: string,
): Promise<{ ref: TensorRef; values: Float64Array } | undefined> {
  const ref = draft.initializer(name);
  if (ref === undefined || draft.isInput(name) || ref.element !== "float32" || sizeOf(ref.dims) > 65_536)
    return undefined;
  return { ref, values: Float64Array.from(toNumbers(await readWeight(ref))) };
}

/** Reads a node as a per-channel scale and shift of its one variable input. */
async function scaleShiftOf(
  draft: GraphDraft,
  node: Node,
  shapes: ReadonlyMap<string, Known>,
): Promise<{ input: string; transform: ScaleShift } | undefined> {
  if (node.op === "BatchNormalization") {
    if (
      intAttribute(node, "training_mode", 0) !== 0 ||
      node.outputs.slice(1).some((name) => name !== "" && draft.isUsed(name))
    )
      return undefined;
    const parts = await Promise.all(node.inputs.slice(1, 5).map((name) => constantOf(draft, name)));
    const [gamma, beta, mean, variance] = parts.map((part) => part?.values);
    if (gamma === undefined || beta === undefined || mean === undefined || variance === undefined) return undefined;
    const epsilon = floatAttribute(node, "epsilon", 1e-5);
    const scale = gamma.map((g, c) => g / Math.sqrt(variance[c] + epsilon));
    return { input: node.inputs[0], transform: { scale, shift: beta.map((b, c) => b - scale[c] * mean[c]) } };
  }
  if (!["Add", "Sub", "Mul", "Div"].includes(node.op)) return undefined;
  const side = draft.initializer(node.inputs[1]) !== undefined ? 1 : 0;
  if (side === 0 && (node.op === "Sub" || node.op === "Div")) return undefined;
  const operand = await constantOf(draft, node.inputs[side]);
  const input = node.inputs[1 - side];
  const shape = shapes.get(input)?.shape;
  if (operand === undefined || shape === undefined || shape.length < 2) return undefined;
  // channels are axis 1 of an image, the last axis of a matrix
  const axis = shape.length === 2 ? 1 : producesChannelsLast(draft, input) ? shape.length - 1 : 1;
  const channels = shape[axis];
  if (typeof channels !== "number") return undefined;
  const values = perChannel(operand.ref.dims, operand.values, shape.length, axis, channels);
  if (values === undefined) return undefined;
  const ones = new Float64Array(channels).fill(1);
  const zeros = new Float64Array(channels);
  switch (node.op) {
    case "Add":
      return { input, transform: { scale: ones, shift: values } };
    case "Sub":
      return { input, transform: { scale: ones, shift: values.map((v) => -v) } };
    case "Mul":
      return { input, transform: { scale: values, shift: zeros } };
    default:
      return { input, transform: { scale: values.map((v) => 1 / v), shift: zeros } };
  }
}

const producesChannelsLast = (draft: GraphDraft, value: string): boolean =>
  ["MatMul", "Gemm"].includes(draft.producer(value)?.op ?? "");

/** A constant that differs along `axis` only, as one value per channel. */
function perChannel(
  dims: readonly number[],
  values: Float64Array,
  rank: number,
  axis: number,
  channels: number,
): Float64Array | undefined {
  if (dims.length > rank) return undefined;
  if (values.length === 1) return new Float64Array(channels).fill(values[0]);
  if (values.length !== channels) return undefined;
  return dims.length + axis - rank >= 0 && dims[dims.length + axis - rank] === channels ? values : undefined;
}

/** Axis of a weight's output channels, and how many there are; undefined where scaling outputs does not scale the weight. */
function outputChannels(
  draft: GraphDraft,
  layer: Node,
): { ref: TensorRef; axis: number; channels: number; groups: number } | undefined {
  if (layer.domain !== "") return undefined;
  const ref = draft.initializer(layer.inputs[1]);
  if (ref === undefined || draft.isInput(ref.name) || ref.element !== "float32") return undefined;
  if (layer.op === "Conv") return { ref, axis: 0, channels: ref.dims[0], groups: 1 };
  if (layer.op === "ConvTranspose") {
    const groups = intAttribute(layer, "group", 1);
    return { ref, axis: 1, channels: ref.dims[1] * groups, groups };
  }
  if (layer.op === "Gemm" && floatAttribute(layer, "alpha", 1) === 1 && floatAttribute(layer, "beta", 1) === 1) {
    const axis = intAttribute(layer, "transB", 0) === 1 ? 0 : 1;
    return { ref, axis, channels: ref.dims[axis], groups: 1 };
  }
  if (layer.op === "MatMul" && ref.dims.length === 2) return { ref, axis: 1, channels: ref.dims[1], groups: 1 };
  return undefined;
}

async function foldIntoProducer(
  draft: GraphDraft,
  node: Node,
  input: string,
  { scale, shift }: ScaleShift,
  rank: (value: string) => number | undefined,
): Promise<boolean> {
  const layer = draft.producer(input);
  if (layer === undefined || draft.isOutput(input) || draft.consumers(input).length !== 1) return false;
  const target = outputChannels(draft, layer);
  if (target === undefined || target.channels !== scale.length) return false;
  const { ref, axis, groups } = target;
  const scales = scale.some((a) => a !== 1);
  const bias =
    layer.inputs[2] === undefined || layer.inputs[2] === "" ? undefined : await constantOf(draft, layer.inputs[2]);
  if (
    layer.inputs[2] !== undefined &&
    layer.inputs[2] !== "" &&
    (bias === undefined || bias.values.length !== scale.length)
  )
    return false;
  const shifts = layer.op !== "MatMul" || shift.some((b) => b !== 0);
  // a MatMul has no bias to take the shift; a Gemm has, and multiplies matrices only
  const op = layer.op === "MatMul" && shifts ? "Gemm" : layer.op;
  if (op !== layer.op && rank(layer.inputs[0]) !== 2) return false;
  const inputs = [...layer.inputs];
  if (scales) inputs[1] = draft.addInitializer(scaledWeight(ref, axis, groups, scale));
  if (shifts) {
    const shifted = Float32Array.from(scale, (a, c) => a * (bias?.values[c] ?? 0) + shift[c]);
    inputs[2] = draft.addInitializer(weight(bias?.ref.name ?? `${ref.name}_bias`, float32([shifted.length], shifted)));
  }
  // the layer now computes the normalized value under its name
  const [output] = node.outputs;
  draft.remove(node);
  draft.update(layer, { op, inputs, outputs: [output, ...layer.outputs.slice(1)] });
  return true;
}

/** W′ = a·W along the output channels. ConvTranspose stores [in, out/groups, …]: its output channel is (group, axis 1). */
function scaledWeight(ref: TensorRef, axis: number, groups: number, scale: Float64Array): TensorRef {
  const inner = sizeOf(ref.dims.slice(axis + 1));
  const length = ref.dims[axis];
  const rowsPerGroup = ref.dims[0] / groups;
  return derivedWeight(ref.name, ref.dims, async () => {
    const w = toNumbers(await readWeight(ref));
    return Float32Array.from(w, (v, i) => {
      const channel = Math.floor(i / inner) % length;
      const group = groups === 1 ? 0 : Math.floor(Math.floor(i / (inner * length)) / rowsPerGroup);
      return v * scale[group * length + channel];
    });
  });
}

/** x → a·x + b → Conv without padding, or → Gemm/MatMul: into the weight's input channels. */
async function foldIntoConsumer(
  draft: GraphDraft,
  node: Node,
  input: string,
  { scale, shift }: ScaleShift,
): Promise<boolean> {
  const [value] = node.outputs;
  const readers = draft.consumers(value);
  const [layer] = readers;
  if (
    node.op !== "BatchNormalization" ||
    readers.length !== 1 ||
    draft.isOutput(value) ||
    layer.op !== "Conv" ||
    layer.domain !== "" ||
    layer.inputs[0] !== value
  )
    return false;
  const ref = draft.initializer(layer.inputs[1]);
  const padded =
    (intsAttribute(layer, "pads") ?? []).some((p) => p !== 0) ||
    !["NOTSET", "VALID"].includes(stringAttribute(layer, "auto_pad", "NOTSET"));
  if (
    ref === undefined ||
    draft.isInput(ref.name) ||
    ref.element !== "float32" ||
    intAttribute(layer, "group", 1) !== 1 ||
    ref.dims[1] !== scale.length
  )
    return false;
  if (padded && shift.some((b) => b !== 0)) return false;
  const bias =
    layer.inputs[2] === undefined || layer.inputs[2] === "" ? undefined : await constantOf(draft, layer.inputs[2]);
  if (layer.inputs[2] !== undefined && layer.inputs[2] !== "" && bias === undefined) return false;
  const inner = sizeOf(ref.dims.slice(2));
  const w = toNumbers(await readWeight(ref));
  const shifted = new Float32Array(ref.dims[0]);
  for (let o = 0; o < shifted.length; o++) {
    let sum = bias?.values[o] ?? 0;
    for (let c = 0; c < scale.length; c++)
      for (let k = 0; k < inner; k++) sum += w[(o * scale.length + c) * inner + k] * shift[c];
    shifted[o] = sum;
  }
  const scaled = derivedWeight(ref.name, ref.dims, async () =>
    Float32Array.from(toNumbers(await readWeight(ref)), (v, i) => v * scale[Math.floor(i / inner) % scale.length]),
  );
  const inputs = [
    input,
    draft.addInitializer(scaled),
    draft.addInitializer(weight(bias?.ref.name ?? `${ref.name}_bias`, float32([shifted.length], shifted))),
  ];
  draft.update(layer, { inputs });
  draft.remove(node);
  return true;
}

/** A normalization that stands alone, as a 1×1 convolution with one group a channel. */
function toDepthwise(draft: GraphDraft, node: Node, input: string, { scale, shift }: ScaleShift): void {
  const [output] = node.outputs;
  const w = draft.addInitializer(weight(`${output}_scale`, float32([scale.length, 1, 1, 1], Float32Array.from(scale))));
  const b = draft.addInitializer(weight(`${output}_shift`, float32([shift.length], Float32Array.from(shift))));
  draft.remove(node);
  draft.add(
    createNode("Conv", [input, w, b], [output], { group: scale.length, kernel_shape: [1, 1] }, { name: node.name }),
  );
}
