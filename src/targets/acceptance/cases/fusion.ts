/** Every operator between DequantizeLinear and QuantizeLinear: which of them are computed on codes? */
import { float32, fromNumbers, int64 } from "#model/tensor";
import { type Between, betweenCodes } from "#targets/acceptance/cases/betweenCodes";
import type { AcceptanceCase } from "#targets/acceptance/types";

const image = [1, 8, 6, 6];
const matrix = [4, 16];
const wide = { scale: 0.02, zero: 128 };
const positive = { scale: 1 / 256, zero: 0 };
const vector = (length: number, first = 0.5, step = 0.1) =>
  float32(
    [length],
    Float32Array.from({ length }, (_, i) => first + step * i),
  );

const ramp = (length: number) => Float32Array.from({ length }, (_, i) => ((i * 37) % 50) / 100 - 0.25);

/** Operators whose operands are codes and whose other inputs are constants, by what they do. */
const rows: readonly (readonly [op: string, options: Between & { readonly form?: string }])[] = [
  // computed with scales of their own for operands and result
  ["Add", { shapes: [image, image], grids: [wide, { scale: 0.013, zero: 100 }], out: { scale: 0.03, zero: 120 } }],
  ["Add", { form: "broadcast", shapes: [image, [8, 1, 1]], out: wide }],
  ["Mul", { shapes: [image, image], grids: [wide, { scale: 0.013, zero: 100 }], out: wide }],
  ["Sub", { shapes: [image, image], out: wide }],
  ["Div", { shapes: [image, image], grids: [wide, { scale: 0.013, zero: 255 }], out: wide }],
  ["Max", { shapes: [image, image] }],
  ["Min", { shapes: [image, image] }],
  ["Sum", { shapes: [image, image, image], out: wide }],
  ["Mean", { shapes: [image, image] }],
  ["Pow", { shapes: [image], grids: [positive], constants: [float32([], [2])], out: positive }],
  ["Sigmoid", { shapes: [image], out: positive }],
  ["LeakyRelu", { shapes: [image], attributes: { alpha: { float: 0.1 } } }],
  ["Softmax", { shapes: [matrix], attributes: { axis: -1 }, out: positive }],
  ["Softmax", { form: "opset12", opset: 12, shapes: [matrix], attributes: { axis: 1 }, out: positive }],
  ["Softmax", { form: "firstAxis", shapes: [matrix], attributes: { axis: 0 }, out: positive }],
  ["LogSoftmax", { shapes: [matrix], out: { scale: 0.02, zero: 255 } }],
  ["GlobalAveragePool", { shapes: [image] }],
  ["AveragePool", { shapes: [image], attributes: { kernel_shape: [2, 2], strides: [2, 2] } }],
  [
    "AveragePool",
    {
      form: "padded",
      shapes: [image],
      attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 },
    },
  ],
  ["GlobalMaxPool", { shapes: [image] }],
  ["LpPool", { shapes: [image], attributes: { kernel_shape: [2, 2] }, out: wide }],
  [
    "Concat",
    { shapes: [image, image], grids: [wide, { scale: 0.013, zero: 100 }], attributes: { axis: 1 }, out: wide },
  ],
  ["Concat", { form: "sameGrid", shapes: [image, image], attributes: { axis: 1 } }],
  ["Where", { shapes: [image, image], at: [1, 2], constants: [fromNumbers("bool", [6], [1, 0, 1, 0, 0, 1])] }],
  // clamps and other functions of one value
  ["Relu", { shapes: [image] }],
  ["Relu", { form: "fromZero", shapes: [image], out: positive }],
  ["Clip", { shapes: [image], constants: [float32([], [-0.5]), float32([], [0.5])] }],
  ["Clip", { form: "relu6", shapes: [image], constants: [float32([], [0]), float32([], [6])], out: positive }],
  ["PRelu", { shapes: [image], constants: [float32([8, 1, 1], [0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.1, 0.2])] }],
  ["Elu", { shapes: [image] }],
  ["Tanh", { shapes: [image] }],
  ["HardSwish", { opset: 14, shapes: [image] }],
  ["HardSigmoid", { shapes: [image], out: positive }],
  ["Gelu", { opset: 20, shapes: [image] }],
  ["Softplus", { shapes: [image] }],
  ["Erf", { shapes: [image] }],
  ["Exp", { shapes: [image], out: { scale: 0.02, zero: 0 } }],
  ["Sqrt", { shapes: [image], grids: [positive], out: positive }],
  ["Abs", { shapes: [image] }],
  ["Neg", { shapes: [image] }],
  ["Identity", { shapes: [image] }],
  ["Dropout", { shapes: [image] }],
  ["Cast", { shapes: [image], attributes: { to: 1 } }],
  // moving values
  ["MaxPool", { shapes: [image], attributes: { kernel_shape: [2, 2], strides: [2, 2] } }],
  ["MaxPool", { form: "opset11", opset: 11, shapes: [image], attributes: { kernel_shape: [2, 2] } }],
  ["MaxPool", { form: "otherGrid", shapes: [image], attributes: { kernel_shape: [2, 2] }, out: wide }],
  ["Reshape", { shapes: [image], constants: [int64([2], [1, -1])] }],
  ["Reshape", { form: "otherGrid", shapes: [image], constants: [int64([2], [1, -1])], out: wide }],
  ["Flatten", { shapes: [image] }],
  ["Transpose", { shapes: [image], attributes: { perm: [0, 2, 3, 1] } }],
  ["Transpose", { form: "otherGrid", shapes: [image], attributes: { perm: [0, 2, 3, 1] }, out: wide }],
  ["Squeeze", { shapes: [image], constants: [int64([1], [0])] }],
  ["Unsqueeze", { shapes: [image], constants: [int64([1], [0])] }],
  ["Slice", { shapes: [image], constants: [int64([1], [1]), int64([1], [5]), int64([1], [2])] }],
  ["Gather", { shapes: [image], constants: [int64([3], [0, 5, 2])], attributes: { axis: 2 } }],
  [
    "GatherElements",
    {
      shapes: [matrix],
      constants: [
        int64(
          [2, 16],
          Array.from({ length: 32 }, (_, i) => i % 4),
        ),
      ],
    },
  ],
  ["GatherND", { shapes: [matrix], constants: [int64([2, 1], [3, 0])] }],
  ["Split", { shapes: [image], constants: [int64([2], [3, 5])], attributes: { axis: 1 }, outputs: 2 }],
  ["Expand", { shapes: [[1, 8, 1, 6]], constants: [int64([4], [1, 8, 6, 6])] }],
  ["Tile", { shapes: [matrix], constants: [int64([2], [2, 2])] }],
  ["DepthToSpace", { shapes: [image], attributes: { blocksize: 2 } }],
  ["SpaceToDepth", { shapes: [image], attributes: { blocksize: 2 } }],
  [
    "Resize",
    { shapes: [image], constants: [float32([0], []), float32([4], [1, 1, 2, 2])], attributes: { mode: "nearest" } },
  ],
  [
    "Resize",
    {
      form: "linear",
      shapes: [image],
      constants: [float32([0], []), float32([4], [1, 1, 2, 2])],
      attributes: { mode: "linear" },
    },
  ],
  ["Pad", { shapes: [image], constants: [int64([8], [0, 0, 1, 1, 0, 0, 1, 1])] }],
  [
    "Pad",
    {
      form: "reflect",
      shapes: [image],
      constants: [int64([8], [0, 0, 1, 1, 0, 0, 1, 1])],
      attributes: { mode: "reflect" },
    },
  ],
  ["Trilu", { opset: 14, shapes: [[6, 6]] }],
  [
    "ReverseSequence",
    {
      shapes: [matrix],
      constants: [
        int64(
          [16],
          Array.from({ length: 16 }, (_, i) => (i % 4) + 1),
        ),
      ],
    },
  ],
  ["ScatterND", { shapes: [matrix, [1, 16]], at: [0, 2], constants: [int64([1, 1], [2])] }],
  // reductions and norms
  ["ReduceMean", { shapes: [image], attributes: { axes: [2, 3] } }],
  ["ReduceSum", { shapes: [matrix], constants: [int64([1], [1])], out: { scale: 0.05, zero: 128 } }],
  ["ReduceMax", { shapes: [image], attributes: { axes: [2, 3] } }],
  ["ReduceMin", { shapes: [image], attributes: { axes: [2, 3] } }],
  ["CumSum", { shapes: [matrix], constants: [fromNumbers("int32", [], [1])], out: { scale: 0.05, zero: 128 } }],
  ["InstanceNormalization", { shapes: [image], constants: [vector(8), vector(8, 0, 0.05)], out: wide }],
  [
    "BatchNormalization",
    { shapes: [image], constants: [vector(8), vector(8, 0, 0.05), vector(8, 0, 0.01), vector(8)], out: wide },
  ],
  ["LayerNormalization", { opset: 17, shapes: [matrix], constants: [vector(16), vector(16, 0, 0.05)], out: wide }],
  ["LpNormalization", { shapes: [matrix], out: { scale: 1 / 128, zero: 128 } }],
  ["LRN", { shapes: [image], attributes: { size: 3 } }],
  [
    "LSTM",
    {
      shapes: [[3, 1, 6]],
      constants: [float32([1, 20, 6], ramp(120)), float32([1, 20, 5], ramp(100))],
      attributes: { hidden_size: 5 },
    },
  ],
  // of other types
  ["Add", { form: "int8", codes: "int8", shapes: [image, image], out: wide }],
  ["Add", { form: "uint16", codes: "uint16", opset: 21, shapes: [image, image], out: wide }],
  ["Sigmoid", { form: "int8", codes: "int8", shapes: [image], out: positive }],
  ["Sigmoid", { form: "uint16", codes: "uint16", opset: 21, shapes: [image], out: positive }],
  ["AveragePool", { form: "int8", codes: "int8", shapes: [image], attributes: { kernel_shape: [2, 2] } }],
  ["MaxPool", { form: "int8", codes: "int8", shapes: [image], attributes: { kernel_shape: [2, 2] } }],
  ["Transpose", { form: "int8", codes: "int8", shapes: [image], attributes: { perm: [0, 2, 3, 1] } }],
  ["Transpose", { form: "uint16", codes: "uint16", opset: 21, shapes: [image], attributes: { perm: [0, 2, 3, 1] } }],
  ["MaxPool", { form: "uint16", codes: "uint16", opset: 21, shapes: [image], attributes: { kernel_shape: [2, 2] } }],
  // what selects or compares
  ["ArgMax", { shapes: [matrix], attributes: { axis: 1 }, result: "int64" }],
  ["ArgMin", { shapes: [matrix], attributes: { axis: 1 }, result: "int64" }],
  ["ReduceMax", { form: "opset12", opset: 12, shapes: [image], attributes: { axes: [2, 3] } }],
  ["ReduceMax", { form: "opset18", opset: 18, shapes: [image], constants: [int64([2], [2, 3])] }],
  ["ReduceMax", { form: "opset20", opset: 20, shapes: [image], constants: [int64([2], [2, 3])] }],
  ["Hardmax", { shapes: [matrix], out: positive }],
  [
    "ScatterElements",
    {
      shapes: [matrix, [1, 16]],
      at: [0, 2],
      constants: [
        int64(
          [1, 16],
          Array.from({ length: 16 }, () => 2),
        ),
      ],
      opset: 16,
    },
  ],
  ["GridSample", { opset: 16, shapes: [image, [1, 3, 3, 2]] }],
  ["ThresholdedRelu", { shapes: [image] }],
  ["Selu", { shapes: [image], out: wide }],
  ["Celu", { shapes: [image] }],
  ["Mish", { opset: 18, shapes: [image] }],
  ["Round", { shapes: [image] }],
  ["Ceil", { shapes: [image], out: wide }],
  ["Reciprocal", { shapes: [image], grids: [{ scale: 0.01, zero: 0 }], out: { scale: 0.4, zero: 0 } }],
  ["ReduceL2", { shapes: [matrix], attributes: { axes: [1] }, out: { scale: 0.02, zero: 0 } }],
  ["ReduceProd", { shapes: [[16, 4]], attributes: { axes: [1] } }],
  [
    "Softmax",
    { form: "opset12-rank4", opset: 12, shapes: [image], attributes: { axis: 1 }, out: { scale: 1 / 2048, zero: 0 } },
  ],
  ["Softmax", { form: "rank4", shapes: [image], attributes: { axis: 1 }, out: positive }],
  [
    "GroupNormalization",
    {
      opset: 21,
      shapes: [image],
      constants: [vector(8), vector(8, 0, 0.05)],
      attributes: { num_groups: 2 },
      out: wide,
    },
  ],
  // products of two activations
  [
    "MatMul",
    {
      form: "activations",
      shapes: [
        [2, 4, 16],
        [2, 16, 5],
      ],
      out: wide,
    },
  ],
  [
    "Gemm",
    {
      form: "activations",
      shapes: [
        [4, 16],
        [16, 5],
      ],
      out: wide,
    },
  ],
  [
    "Einsum",
    {
      shapes: [
        [4, 16],
        [16, 5],
      ],
      attributes: { equation: "ij,jk->ik" },
      out: wide,
    },
  ],
];

/** "fusion/Add", "fusion/Add-broadcast" … */
export const fusionCases: readonly AcceptanceCase[] = rows.map(([op, options]) => {
  const { form } = options;
  const about = `${op}${form === undefined ? "" : ` (${form})`} between DequantizeLinear and QuantizeLinear`;
  return betweenCodes(`fusion/${op}${form === undefined ? "" : `-${form}`}`, about, op, options);
});
