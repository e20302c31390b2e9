/** Products between codes: how weights, biases, activations and results may be written so that ONNX Runtime computes on codes. */
import { activation, parameters } from "#targets/acceptance/cases/betweenCodes";
import { geometry, type LinearForm, linearCase, weightOf, wide } from "#targets/acceptance/cases/linearCase";
import { Sketch } from "#targets/acceptance/sketch";
import type { AcceptanceCase } from "#targets/acceptance/types";

const conv1d = { shape: [1, 8, 20], filters: [6, 8, 3] };
const gemm = { op: "Gemm" } as const;
const matMul = { op: "MatMul" } as const;
const batch = [2, 4, 32];

/** [form, what is asked, how it is written]. Unless they say otherwise: Conv, uint8 activations, int8 weights with one scale, no bias. */
const rows: readonly (readonly [form: string, about: string, options: LinearForm])[] = [
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
  ["Conv-Relu", "Conv and Relu", { axis: 0, after: ["Relu"] }],
  ["Conv-Relu6", "Conv and Clip(0, 6)", { axis: 0, after: ["Relu6"] }],
  ["Conv-LeakyRelu", "Conv and LeakyRelu", { axis: 0, after: ["LeakyRelu"] }],
  ["Conv-HardSwish", "Conv and HardSwish", { opset: 14, axis: 0, after: ["HardSwish"] }],
  ["Conv-floatResult", "Conv whose result is not quantized", { axis: 0, result: "float" }],
  [
    "Conv-floatWeights-Relu",
    "Conv with float weights between codes, and Relu",
    { weights: "float32", after: ["Relu"] },
  ],
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
  ["Gemm-Relu", "Gemm and Relu", { ...gemm, zero: 0, after: ["Relu"] }],
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
  ["MatMul-Add", "MatMul and a float bias in an Add", { ...matMul, zero: 0, after: ["Add"] }],
  [
    "MatMul-Add-floatResult",
    "MatMul and Add of a float bias, result not quantized",
    { ...matMul, zero: 0, after: ["Add"], result: "float" },
  ],
  [
    "MatMul-AddCodes-floatResult",
    "MatMul and Add of an int32 bias, result not quantized",
    { ...matMul, zero: 0, after: ["AddCodes"], result: "float" },
  ],
  [
    "MatMul-perChannel-AddCodes-floatResult",
    "MatMul, per channel, and Add of an int32 bias, result not quantized",
    { ...matMul, axis: 1, zero: 0, after: ["AddCodes"], result: "float" },
  ],
  [
    "MatMul-noZero-AddCodes-floatResult",
    "MatMul without weight zero point and Add of an int32 bias, result not quantized",
    { ...matMul, after: ["AddCodes"], result: "float" },
  ],
  [
    "MatMul-batch-Add",
    "MatMul on a batch and a float bias in an Add",
    { ...matMul, shape: batch, zero: 0, after: ["Add"] },
  ],
  [
    "MatMul-batch-Add-floatResult",
    "MatMul on a batch and Add of a float bias, result not quantized",
    { ...matMul, shape: batch, zero: 0, after: ["Add"], result: "float" },
  ],
  [
    "MatMul-batch-AddCodes-floatResult",
    "MatMul on a batch and Add of an int32 bias, result not quantized",
    { ...matMul, shape: batch, zero: 0, after: ["AddCodes"], result: "float" },
  ],
  [
    "MatMul-batch-AddRow-floatResult",
    "MatMul on a batch and Add of a float bias of shape [1, N], result not quantized",
    { ...matMul, shape: batch, zero: 0, after: ["AddRow"], result: "float" },
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
  ["MatMul-Relu", "MatMul and Relu", { ...matMul, zero: 0, after: ["Relu"] }],
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
