/** Products between codes: how weights, biases, activations and results may be written so that ONNX Runtime computes on codes. */
import type { AttributeInit } from "#model/attributes";
import { type ElementType, float32, fromNumbers, sizeOf } from "#model/tensor";
import { activation, parameters } from "#targets/acceptance/cases/betweenCodes";
import { Sketch, type SketchOptions } from "#targets/acceptance/sketch";
import type { AcceptanceCase } from "#targets/acceptance/types";

interface Form extends SketchOptions {
  readonly op?: "Conv" | "ConvTranspose" | "Gemm" | "MatMul";
  readonly shape?: readonly number[];
  readonly filters?: readonly number[];
  readonly attributes?: Readonly<Record<string, AttributeInit>>;
  /** Element type of activations and result. Default uint8. */
  readonly codes?: ElementType;
  /** Default int8; float32: weights that are not quantized at all. */
  readonly weights?: ElementType;
  /** Axis of the weight's scales; default: one scale. */
  readonly axis?: number;
  /** Codes per scale along `axis`. */
  readonly block?: number;
  /** Zero point of the weights: not there (default), 0, or another. */
  readonly zero?: number;
  readonly bias?: "float" | "int32" | "int32 with zero point";
  /** What follows the product, before it is quantized. */
  readonly then?: readonly ("Relu" | "Relu6" | "HardSwish" | "LeakyRelu" | "Add" | "AddCodes" | "AddRow")[];
  /** Whether the weight is stored transposed. */
  readonly transposed?: boolean;
  /** Default: codes; "float": nothing quantizes the result. */
  readonly result?: "float";
  /** The model's own inputs and outputs are floats: QuantizeLinear before the first, DequantizeLinear behind the last. */
  readonly floatEdges?: boolean;
  /** A clamp to what the codes can hold, behind the DequantizeLinear of the activations. */
  readonly clamped?: boolean;
  readonly tolerance?: number;
}

const geometry = {
  Conv: { shape: [1, 8, 6, 6], filters: [6, 8, 3, 3], output: 0 },
  ConvTranspose: { shape: [1, 8, 6, 6], filters: [8, 6, 3, 3], output: 1 },
  Gemm: { shape: [4, 32], filters: [32, 6], output: 1 },
  MatMul: { shape: [4, 32], filters: [32, 6], output: 1 },
} as const;

/** Scale of the result: a wide one, and where negative values are clamped, all of it for positive ones. */
const wide = { scale: 0.03, zero: 128 };
const positive = { scale: 0.02, zero: 0 };

function linearCase(id: string, about: string, form: Form): AcceptanceCase {
  const { op = "Conv", codes = "uint8", attributes = {}, then = [], result } = form;
  const { shape = geometry[op].shape, filters = geometry[op].filters } = form;
  const sketch = new Sketch(id, form);
  const grid = parameters(sketch, activation, codes);
  const edge = form.floatEdges
    ? sketch.node("QuantizeLinear", [sketch.input(sketch.floats(shape, 1.27)), ...grid])
    : sketch.input(sketch.codes(codes, shape));
  let x = sketch.node("DequantizeLinear", [edge, ...grid]);
  if (form.clamped) {
    const bounds = [-1.28, 1.27].map((bound) => sketch.constant(float32([], [bound])));
    x = sketch.node("Clip", [x, ...bounds]);
  }
  const inputs = [x, weightOf(sketch, form, filters)];
  if (form.bias !== undefined) inputs.push(biasOf(sketch, form, filters[geometry[op].output]));
  let y = sketch.node(op, inputs, attributes);
  for (const next of then) y = followedBy(sketch, y, next, form, filters[geometry[op].output]);
  if (result === "float") {
    sketch.output(y);
    return sketch.finish(about, form.tolerance ?? 2e-6, { codes: "product" });
  }
  const out = parameters(sketch, then.some((next) => next === "Relu" || next === "Relu6") ? positive : wide, codes);
  const q = sketch.node("QuantizeLinear", [y, ...out]);
  if (form.floatEdges) {
    sketch.output(sketch.node("DequantizeLinear", [q, ...out]));
    return sketch.finish(about, 1 / 100, { codes: "product" });
  }
  sketch.output(q, codes);
  return sketch.finish(about, form.tolerance ?? 1, { codes: "everywhere" });
}

/** 0.0025 to 0.0075, so that a kernel that took one channel's scale for another's would be found out. */
const channelScale = (c: number): number => 0.0025 + 0.001 * (c % 6);

function weightOf(sketch: Sketch, form: Form, filters: readonly number[]): string {
  const { weights = "int8", axis, block, zero, transposed } = form;
  const stored = transposed ? [...filters].reverse() : filters;
  if (weights === "float32") {
    // the last channel is 100 times the others: one scale for all would leave nothing of them
    const channel = geometry[form.op ?? "Conv"].output;
    const inner = sizeOf(stored.slice(channel + 1));
    const values = (sketch.floats(stored, 0.3).data as Float32Array).map((x, i) =>
      Math.floor(i / inner) % stored[channel] === stored[channel] - 1 ? 100 * x : x,
    );
    return sketch.constant(float32(stored, values));
  }
  const [low, high] = halfRange[weights] ?? [undefined, undefined];
  const codes = sketch.constant(sketch.codes(weights, stored, low, high));
  const dims =
    axis === undefined ? [] : block === undefined ? [stored[axis]] : stored.map((n, i) => (i === axis ? n / block : n));
  const scales = Float32Array.from(
    { length: sizeOf(dims) },
    (_, c) => channelScale(c) * (weights.endsWith("4") ? 16 : 1),
  );
  const inputs = [codes, sketch.constant(float32(dims, scales))];
  if (zero !== undefined)
    inputs.push(sketch.constant(fromNumbers(weights, dims, new Float64Array(sizeOf(dims)).fill(zero))));
  const dequantized = sketch.node("DequantizeLinear", inputs, {
    ...(axis === undefined ? {} : { axis }),
    ...(block === undefined ? {} : { block_size: block }),
  });
  return transposed ? sketch.node("Transpose", [dequantized], { perm: [1, 0] }) : dequantized;
}

/** Half of the codes: products of two stay within 16 bits where a processor adds pairs in that width. */
const halfRange: Partial<Record<ElementType, readonly [number, number]>> = { int8: [-64, 63], uint8: [96, 159] };

function biasOf(sketch: Sketch, { bias, axis }: Form, channels: number): string {
  if (bias === "float") return sketch.constant(sketch.floats([channels]));
  const dims = axis === undefined ? [] : [channels];
  const scales = Float32Array.from({ length: sizeOf(dims) }, (_, c) => activation.scale * channelScale(c));
  const inputs = [sketch.codes("int32", [channels], -20_000, 20_000), float32(dims, scales)];
  if (bias === "int32 with zero point") inputs.push(fromNumbers("int32", dims, new Float64Array(sizeOf(dims))));
  return sketch.node(
    "DequantizeLinear",
    inputs.map((content) => sketch.constant(content)),
    axis === undefined ? {} : { axis: 0 },
  );
}

function followedBy(
  sketch: Sketch,
  y: string,
  next: NonNullable<Form["then"]>[number],
  form: Form,
  channels: number,
): string {
  switch (next) {
    case "Relu6":
      return sketch.node("Clip", [y, sketch.constant(float32([], [0])), sketch.constant(float32([], [6]))]);
    case "Add":
      return sketch.node("Add", [y, sketch.constant(sketch.floats([channels]))]);
    case "AddRow":
      return sketch.node("Add", [y, sketch.constant(sketch.floats([1, channels]))]);
    case "AddCodes":
      return sketch.node("Add", [y, biasOf(sketch, { ...form, bias: "int32" }, channels)]);
    default:
      return sketch.node(next, [y]);
  }
}

const conv1d = { shape: [1, 8, 20], filters: [6, 8, 3] };
const gemm = { op: "Gemm" } as const;
const matMul = { op: "MatMul" } as const;
const batch = [2, 4, 32];

/** [form, what is asked, how it is written]. Unless they say otherwise: Conv, uint8 activations, int8 weights with one scale, no bias. */
const rows: readonly (readonly [form: string, about: string, options: Form])[] = [
  // weights
  ["Conv", "Conv with one scale for its weights", {}],
  ["Conv-perChannel", "Conv with a scale for each output channel", { axis: 0 }],
  ["Conv-perChannel-zero", "Conv, scale per channel, weight zero points written out as 0", { axis: 0, zero: 0 }],
  ["Conv-weightZero", "Conv with a weight zero point that is not 0", { zero: 5 }],
  ["Conv-perChannel-weightZero", "Conv, per channel, zero points that are not 0", { axis: 0, zero: 5 }],
  ["Conv-inputChannelScale", "Conv with a scale for each input channel", { axis: 1 }],
  ["Conv-uint8Weights", "Conv with uint8 weights", { weights: "uint8", zero: 128 }],
  ["Conv-uint8Weights-perChannel", "Conv with uint8 weights, per channel", { weights: "uint8", axis: 0, zero: 128 }],
  ["Conv-int4Weights", "Conv with int4 weights, per channel", { opset: 21, weights: "int4", axis: 0 }],
  ["Conv-int16Weights", "Conv with int16 weights", { opset: 21, weights: "int16" }],
  ["Conv-floatWeights", "Conv with float weights of unequal channels between codes", { weights: "float32" }],
  ["Conv-opset10", "Conv at opset 10", { opset: 10 }],
  ["Conv-opset19", "Conv at opset 19", { opset: 19, axis: 0 }],
  ["Conv-opset21", "Conv at opset 21", { opset: 21, axis: 0 }],
  ["Conv-opset23", "Conv at opset 23", { opset: 23, axis: 0 }],
  ["Conv-opset25", "Conv at opset 25", { opset: 25, axis: 0 }],
  // activations
  ["Conv-int8", "Conv on int8 activations", { codes: "int8", axis: 0 }],
  [
    "Conv-int8-uint8Weights",
    "Conv on int8 activations with uint8 weights",
    { codes: "int8", weights: "uint8", zero: 128 },
  ],
  [
    "Conv-int8-floatEdges",
    "Conv on int8 activations, floats at the edges",
    { codes: "int8", axis: 0, floatEdges: true },
  ],
  [
    "Conv-int8-uint8Weights-floatEdges",
    "Conv on int8 activations with uint8 weights, floats at the edges",
    { codes: "int8", weights: "uint8", zero: 128, floatEdges: true },
  ],
  ["Conv-uint16", "Conv on uint16 activations", { opset: 21, codes: "uint16", axis: 0 }],
  ["Conv-int16", "Conv on int16 activations", { opset: 21, codes: "int16", axis: 0 }],
  // biases
  ["Conv-bias", "Conv with an int32 bias", { bias: "int32" }],
  ["Conv-bias-zero", "Conv with an int32 bias whose zero point is written out", { bias: "int32 with zero point" }],
  ["Conv-perChannel-bias", "Conv with an int32 bias, per channel", { axis: 0, bias: "int32" }],
  [
    "Conv-perChannel-bias-zero",
    "Conv with an int32 bias, per channel, zero points written out",
    { axis: 0, bias: "int32 with zero point" },
  ],
  ["Conv-floatBias", "Conv with a float bias", { axis: 0, bias: "float" }],
  // geometry
  ["Conv-depthwise", "depthwise Conv", { filters: [8, 1, 3, 3], axis: 0, attributes: { group: 8 } }],
  ["Conv-groups", "Conv in groups", { filters: [6, 4, 3, 3], axis: 0, attributes: { group: 2 } }],
  ["Conv-pointwise", "1×1 Conv", { filters: [6, 8, 1, 1], axis: 0 }],
  [
    "Conv-stem",
    "Conv on 3 channels with stride 2 and padding",
    { shape: [1, 3, 9, 9], filters: [6, 3, 3, 3], axis: 0, attributes: { strides: [2, 2], pads: [1, 1, 1, 1] } },
  ],
  ["Conv-dilated", "dilated Conv", { axis: 0, attributes: { dilations: [2, 2] } }],
  ["Conv-autoPad", "Conv with auto_pad", { axis: 0, attributes: { auto_pad: "SAME_UPPER" } }],
  ["Conv-1d", "1-D Conv", { ...conv1d, axis: 0 }],
  ["Conv-3d", "3-D Conv", { shape: [1, 4, 5, 5, 5], filters: [6, 4, 3, 3, 3], axis: 0 }],
  // what follows
  ["Conv-Relu", "Conv and Relu", { axis: 0, then: ["Relu"] }],
  ["Conv-Relu6", "Conv and Clip(0, 6)", { axis: 0, then: ["Relu6"] }],
  ["Conv-LeakyRelu", "Conv and LeakyRelu", { axis: 0, then: ["LeakyRelu"] }],
  ["Conv-HardSwish", "Conv and HardSwish", { opset: 14, axis: 0, then: ["HardSwish"] }],
  ["Conv-floatResult", "Conv whose result is not quantized", { axis: 0, result: "float" }],
  ["Conv-floatWeights-Relu", "Conv with float weights between codes, and Relu", { weights: "float32", then: ["Relu"] }],
  [
    "Conv-floatWeights-clamped",
    "Conv with float weights between codes, behind a clamp",
    { weights: "float32", clamped: true },
  ],
  [
    "Conv-floatWeights-floatResult",
    "Conv with float weights behind codes, result not quantized",
    { weights: "float32", result: "float" },
  ],
  // ConvTranspose
  ["ConvTranspose", "ConvTranspose", { op: "ConvTranspose" }],
  ["ConvTranspose-perChannel", "ConvTranspose, scale per output channel", { op: "ConvTranspose", axis: 1 }],
  [
    "ConvTranspose-floatWeights",
    "ConvTranspose with float weights of unequal channels between codes",
    { op: "ConvTranspose", weights: "float32" },
  ],
  // Gemm
  ["Gemm", "Gemm, no weight zero point", gemm],
  ["Gemm-zero", "Gemm, weight zero point written out as 0", { ...gemm, zero: 0 }],
  ["Gemm-perChannel", "Gemm, scale per channel, no zero points", { ...gemm, axis: 1 }],
  ["Gemm-perChannel-zero", "Gemm, scale per channel, zero points 0", { ...gemm, axis: 1, zero: 0 }],
  [
    "Gemm-transB",
    "Gemm with transB, scale per channel, zero points 0",
    { ...gemm, filters: [6, 32], axis: 0, zero: 0, attributes: { transB: 1 } },
  ],
  ["Gemm-bias", "Gemm with an int32 bias", { ...gemm, zero: 0, bias: "int32" }],
  [
    "Gemm-bias-zero",
    "Gemm with an int32 bias whose zero point is written out",
    { ...gemm, zero: 0, bias: "int32 with zero point" },
  ],
  ["Gemm-perChannel-bias", "Gemm, per channel, int32 bias", { ...gemm, axis: 1, zero: 0, bias: "int32" }],
  ["Gemm-floatBias", "Gemm with a float bias", { ...gemm, zero: 0, bias: "float" }],
  ["Gemm-alpha", "Gemm with alpha 0.5", { ...gemm, zero: 0, attributes: { alpha: { float: 0.5 } } }],
  [
    "Gemm-alpha-bias",
    "Gemm with alpha 0.5 and a bias",
    { ...gemm, zero: 0, bias: "int32", attributes: { alpha: { float: 0.5 } } },
  ],
  ["Gemm-noZero-bias", "Gemm with an int32 bias, no weight zero point", { ...gemm, bias: "int32" }],
  ["Gemm-weightZero", "Gemm with a weight zero point that is not 0", { ...gemm, zero: 5 }],
  ["Gemm-perChannel-weightZero", "Gemm, per channel, zero points that are not 0", { ...gemm, axis: 1, zero: 5 }],
  ["Gemm-transA", "Gemm with transA", { ...gemm, shape: [32, 4], zero: 0, attributes: { transA: 1 } }],
  ["Gemm-beta", "Gemm with beta 0.5", { ...gemm, zero: 0, bias: "int32", attributes: { beta: { float: 0.5 } } }],
  ["Gemm-uint8Weights", "Gemm with uint8 weights", { ...gemm, weights: "uint8", zero: 128 }],
  ["Gemm-int8", "Gemm on int8 activations", { ...gemm, codes: "int8", zero: 0 }],
  ["Gemm-Relu", "Gemm and Relu", { ...gemm, zero: 0, then: ["Relu"] }],
  ["Gemm-floatResult", "Gemm whose result is not quantized", { ...gemm, zero: 0, result: "float" }],
  [
    "Gemm-bias-floatResult",
    "Gemm with int32 bias whose result is not quantized",
    { ...gemm, zero: 0, bias: "int32", result: "float" },
  ],
  ["Gemm-floatWeights", "Gemm with float weights of unequal channels between codes", { ...gemm, weights: "float32" }],
  // MatMul
  ["MatMul", "MatMul, no weight zero point", matMul],
  ["MatMul-zero", "MatMul, weight zero point written out as 0", { ...matMul, zero: 0 }],
  ["MatMul-perChannel", "MatMul, scale per channel, no zero points", { ...matMul, axis: 1 }],
  ["MatMul-perChannel-zero", "MatMul, scale per channel, zero points 0", { ...matMul, axis: 1, zero: 0 }],
  ["MatMul-rowScale", "MatMul with a scale for each row of the weight", { ...matMul, axis: 0, zero: 0 }],
  ["MatMul-batch", "MatMul on a batch of matrices", { ...matMul, shape: batch, axis: 1, zero: 0 }],
  ["MatMul-uint8Weights", "MatMul with uint8 weights", { ...matMul, weights: "uint8", zero: 128 }],
  ["MatMul-weightZero", "MatMul with a weight zero point that is not 0", { ...matMul, zero: 5 }],
  ["MatMul-perChannel-weightZero", "MatMul, per channel, zero points that are not 0", { ...matMul, axis: 1, zero: 5 }],
  [
    "MatMul-int8-floatEdges",
    "MatMul on int8 activations, floats at the edges",
    { ...matMul, codes: "int8", zero: 0, floatEdges: true },
  ],
  [
    "MatMul-int8-noZero-floatEdges",
    "MatMul on int8 activations, no weight zero, floats at the edges",
    { ...matMul, codes: "int8", floatEdges: true },
  ],
  ["MatMul-int8", "MatMul on int8 activations", { ...matMul, codes: "int8", zero: 0 }],
  [
    "MatMul-int8-uint8Weights",
    "MatMul on int8 activations with uint8 weights",
    { ...matMul, codes: "int8", weights: "uint8", zero: 128 },
  ],
  [
    "MatMul-transposed",
    "MatMul whose weight goes through a Transpose",
    { ...matMul, axis: 0, zero: 0, transposed: true },
  ],
  ["MatMul-Add", "MatMul and a float bias in an Add", { ...matMul, zero: 0, then: ["Add"] }],
  [
    "MatMul-Add-floatResult",
    "MatMul and Add of a float bias, result not quantized",
    { ...matMul, zero: 0, then: ["Add"], result: "float" },
  ],
  [
    "MatMul-AddCodes-floatResult",
    "MatMul and Add of an int32 bias, result not quantized",
    { ...matMul, zero: 0, then: ["AddCodes"], result: "float" },
  ],
  [
    "MatMul-perChannel-AddCodes-floatResult",
    "MatMul, per channel, and Add of an int32 bias, result not quantized",
    { ...matMul, axis: 1, zero: 0, then: ["AddCodes"], result: "float" },
  ],
  [
    "MatMul-noZero-AddCodes-floatResult",
    "MatMul without weight zero point and Add of an int32 bias, result not quantized",
    { ...matMul, then: ["AddCodes"], result: "float" },
  ],
  [
    "MatMul-batch-Add",
    "MatMul on a batch and a float bias in an Add",
    { ...matMul, shape: batch, zero: 0, then: ["Add"] },
  ],
  [
    "MatMul-batch-Add-floatResult",
    "MatMul on a batch and Add of a float bias, result not quantized",
    { ...matMul, shape: batch, zero: 0, then: ["Add"], result: "float" },
  ],
  [
    "MatMul-batch-AddCodes-floatResult",
    "MatMul on a batch and Add of an int32 bias, result not quantized",
    { ...matMul, shape: batch, zero: 0, then: ["AddCodes"], result: "float" },
  ],
  [
    "MatMul-batch-AddRow-floatResult",
    "MatMul on a batch and Add of a float bias of shape [1, N], result not quantized",
    { ...matMul, shape: batch, zero: 0, then: ["AddRow"], result: "float" },
  ],
  ["MatMul-floatResult", "MatMul whose result is not quantized", { ...matMul, zero: 0, result: "float" }],
  [
    "MatMul-perChannel-floatResult",
    "MatMul, per channel, result not quantized",
    { ...matMul, axis: 1, zero: 0, result: "float" },
  ],
  [
    "MatMul-noZero-floatResult",
    "MatMul without weight zero point, result not quantized",
    { ...matMul, result: "float" },
  ],
  ["MatMul-Relu", "MatMul and Relu", { ...matMul, zero: 0, then: ["Relu"] }],
  [
    "MatMul-floatWeights",
    "MatMul with float weights of unequal channels between codes",
    { ...matMul, weights: "float32" },
  ],
  ["MatMul-uint16", "MatMul on uint16 activations", { ...matMul, opset: 21, codes: "uint16", zero: 0 }],
  ["MatMul-int4Weights", "MatMul with int4 weights, one scale", { ...matMul, opset: 21, weights: "int4", zero: 0 }],
  [
    "MatMul-int4Weights-perChannel",
    "MatMul with int4 weights, per channel",
    { ...matMul, opset: 21, weights: "int4", axis: 1 },
  ],
  [
    "MatMul-int4Weights-block",
    "MatMul with int4 weights in blocks of 16",
    { ...matMul, opset: 21, weights: "int4", axis: 0, block: 16 },
  ],
];

export const linearCases: readonly AcceptanceCase[] = [
  ...rows.map(([form, about, options]) => linearCase(`fusion/${form}`, `${about}, between codes`, options)),
  sharedCodes(),
  codesThatAreAnOutput(),
];

function dequantizedImage(sketch: Sketch): string {
  const codes = sketch.input(sketch.codes("uint8", geometry.Conv.shape));
  return sketch.node("DequantizeLinear", [codes, ...parameters(sketch, activation)]);
}

/** One DequantizeLinear read by two layers. */
function sharedCodes(): AcceptanceCase {
  const sketch = new Sketch("fusion/Conv-shared");
  const x = dequantizedImage(sketch);
  for (const _ of [0, 1]) {
    const y = sketch.node("Conv", [x, weightOf(sketch, { axis: 0 }, geometry.Conv.filters)]);
    sketch.output(sketch.node("QuantizeLinear", [y, ...parameters(sketch, wide)]), "uint8");
  }
  return sketch.finish("two Convs that read the same DequantizeLinear", 1, { codes: "everywhere" });
}

/** The float result of the layer is wanted too. */
function codesThatAreAnOutput(): AcceptanceCase {
  const sketch = new Sketch("fusion/Conv-alsoFloat");
  const x = dequantizedImage(sketch);
  const y = sketch.node("Conv", [x, weightOf(sketch, { axis: 0 }, geometry.Conv.filters)]);
  sketch.output(y);
  sketch.output(sketch.node("QuantizeLinear", [y, ...parameters(sketch, wide)]), "uint8");
  return sketch.finish("Conv whose float result is an output beside its codes", 1, { codes: "everywhere" });
}
