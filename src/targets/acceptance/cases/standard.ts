/** Standard operators that quantized files are made of besides Q and DQ: tables, bits, functions, half precision. */
import { createNode, type AttributeInit } from "#model/attributes";
import type { FunctionDef } from "#model/model";
import { type ElementType, elementTypes, float32, fromNumbers, int64, type Tensor, toNumbers } from "#model/tensor";
import { Sketch } from "#targets/acceptance/sketch";
import type { AcceptanceCase } from "#targets/acceptance/types";

const exact = 2e-6;
const half = 2e-3;
const none: ReadonlyMap<string, string> = new Map();
const [rows, columns] = [32, 8];

/** A weight as indices into a table of 16 values. */
function codebook(indexType: ElementType, cast: boolean): AcceptanceCase {
  const sketch = new Sketch(`codebook/${indexType}${cast ? "" : "-direct"}`, { opset: 21 });
  const codes = sketch.constant(sketch.codes(indexType, [rows, columns], 0, 15));
  const indices = cast ? sketch.node("Cast", [codes], { to: elementTypes.int64.code }) : codes;
  const w = sketch.node("Gather", [sketch.constant(sketch.floats([16])), indices]);
  sketch.output(sketch.node("MatMul", [sketch.input(sketch.floats([3, rows])), w]));
  const about = `MatMul of weights looked up by ${indexType} ${cast ? "cast to int64" : "indices"}`;
  return sketch.finish(about, exact);
}

/** The table look-up as a function of the model's own. */
function localFunction(): AcceptanceCase {
  const sketch = new Sketch("codebook/function", { opset: 21 });
  const decode: FunctionDef = {
    name: "Decode",
    domain: "lowbit",
    overload: "",
    inputs: ["codes", "table"],
    outputs: ["values"],
    attributes: [],
    defaults: new Map(),
    nodes: [
      createNode("Cast", ["codes"], ["indices"], { to: elementTypes.int64.code }),
      createNode("Gather", ["table", "indices"], ["values"]),
    ],
    opsets: new Map([["", 21]]),
    values: new Map(),
    doc: "",
    metadata: none,
  };
  sketch.define(decode);
  const codes = sketch.constant(sketch.codes("uint4", [rows, columns]));
  const w = sketch.node("Decode", [codes, sketch.constant(sketch.floats([16]))], {}, "lowbit");
  sketch.output(sketch.node("MatMul", [sketch.input(sketch.floats([3, rows])), w]));
  return sketch.finish("MatMul of weights decoded by a model-local function", exact);
}

/** Rows of 4 values from a table of 32 vectors: vector quantization. */
function vectors(): AcceptanceCase {
  const sketch = new Sketch("codebook/vectors", { opset: 13 });
  const codes = sketch.constant(sketch.codes("uint8", [rows, columns / 4], 0, 31));
  const indices = sketch.node("Cast", [codes], { to: elementTypes.int32.code });
  const parts = sketch.node("Gather", [sketch.constant(sketch.floats([32, 4])), indices]);
  const w = sketch.node("Reshape", [parts, sketch.constant(int64([2], [rows, columns]))]);
  sketch.output(sketch.node("MatMul", [sketch.input(sketch.floats([3, rows])), w]));
  return sketch.finish("MatMul of weights gathered as vectors of 4", exact);
}

/** Two codes of 4 bits from each byte, by shift and mask. */
function unpacking(): AcceptanceCase {
  const sketch = new Sketch("bits/unpack", { opset: 18 });
  const bytes = sketch.constant(sketch.codes("uint8", [rows, columns / 2, 1]));
  const constant = (code: number): string => sketch.constant(fromNumbers("uint8", [], [code]));
  const low = sketch.node("BitwiseAnd", [bytes, constant(15)]);
  const high = sketch.node("BitShift", [bytes, constant(4)], { direction: "RIGHT" });
  const both = sketch.node("Concat", [low, high], { axis: 2 });
  const codes = sketch.node("Reshape", [both, sketch.constant(int64([2], [rows, columns]))]);
  const w = sketch.node("Cast", [codes], { to: 1 });
  sketch.output(sketch.node("MatMul", [sketch.input(sketch.floats([3, rows])), w]));
  return sketch.finish("4-bit codes unpacked by BitwiseAnd and BitShift", exact);
}

interface Plain {
  readonly inputs: (sketch: Sketch) => readonly Tensor[];
  readonly constants?: (sketch: Sketch) => readonly Tensor[];
  readonly attributes?: Readonly<Record<string, AttributeInit>>;
  readonly result?: ElementType;
  readonly opset?: number;
  readonly tolerance?: number;
}

/** One operator on inputs of its own type. */
function plain(id: string, about: string, op: string, options: Plain): AcceptanceCase {
  const { inputs, constants = () => [], attributes = {}, result = "float32", opset = 18, tolerance = exact } = options;
  const sketch = new Sketch(id, { opset });
  const names = [
    ...inputs(sketch).map((fed) => sketch.input(fed)),
    ...constants(sketch).map((content) => sketch.constant(content)),
  ];
  sketch.output(sketch.node(op, names, attributes), result);
  return sketch.finish(about, tolerance);
}

const float16 = (sketch: Sketch, dims: readonly number[], type: ElementType = "float16"): Tensor =>
  fromNumbers(type, dims, toNumbers(sketch.floats(dims)));

/** Computing in a type of 16 bits: floats are cast at the edges, as files with float32 inputs are. */
function shortFloats(
  type: "float16" | "bfloat16",
  op: string,
  options: {
    readonly shape: readonly number[];
    readonly constants?: (sketch: Sketch) => readonly Tensor[];
    readonly attributes?: Readonly<Record<string, AttributeInit>>;
    readonly opset?: number;
  },
): AcceptanceCase {
  const { shape, constants = () => [], attributes = {}, opset = type === "bfloat16" ? 22 : 17 } = options;
  const sketch = new Sketch(`${type}/${op}`, { opset });
  const x = sketch.node("Cast", [sketch.input(sketch.floats(shape))], { to: elementTypes[type].code });
  const rest = constants(sketch).map((content) => sketch.constant(content));
  const y = sketch.node(op, [x, ...rest], attributes);
  sketch.output(sketch.node("Cast", [y], { to: 1 }));
  return sketch.finish(`${op} in ${type}`, type === "float16" ? half : 2e-2);
}

const image = [1, 4, 6, 6];

export const standardCases: readonly AcceptanceCase[] = [
  codebook("uint4", true),
  codebook("uint8", true),
  codebook("int32", false),
  codebook("uint8", false),
  localFunction(),
  vectors(),
  unpacking(),
  plain("bits/BitwiseXor-int32", "BitwiseXor of int32", "BitwiseXor", {
    inputs: (s) => [s.codes("int32", [4, 4]), s.codes("int32", [4, 4])],
    result: "int32",
  }),
  plain("bits/BitwiseAnd-uint8", "BitwiseAnd of uint8", "BitwiseAnd", {
    inputs: (s) => [s.codes("uint8", [4, 4]), s.codes("uint8", [4, 4])],
    result: "uint8",
  }),
  plain("bits/BitShift-uint8", "BitShift of uint8", "BitShift", {
    inputs: (s) => [s.codes("uint8", [4, 4]), s.codes("uint8", [4, 4], 0, 7)],
    attributes: { direction: "RIGHT" },
    result: "uint8",
  }),
  plain("bits/BitwiseNot-int8", "BitwiseNot of int8", "BitwiseNot", {
    inputs: (s) => [s.codes("int8", [16])],
    result: "int8",
  }),
  plain("bits/Sign", "Sign", "Sign", { inputs: (s) => [s.floats([16])] }),
  plain("bits/Mod-uint8", "Mod of uint8", "Mod", {
    inputs: (s) => [s.codes("uint8", [16]), s.codes("uint8", [16], 1, 16)],
    result: "uint8",
  }),
  plain("moves/Gather-int8", "Gather of int8", "Gather", {
    inputs: (s) => [s.codes("int8", [6, 4]), int64([3], [5, 0, 2])],
    result: "int8",
  }),
  plain("moves/MaxPool-uint8", "MaxPool of uint8", "MaxPool", {
    inputs: (s) => [s.codes("uint8", image)],
    attributes: { kernel_shape: [2, 2] },
    result: "uint8",
  }),
  plain("moves/MaxPool-int8", "MaxPool of int8", "MaxPool", {
    inputs: (s) => [s.codes("int8", image)],
    attributes: { kernel_shape: [2, 2] },
    result: "int8",
  }),
  plain("moves/Relu-int8", "Relu of int8", "Relu", { inputs: (s) => [s.codes("int8", [16])], result: "int8" }),
  plain("moves/Clip-uint8", "Clip of uint8", "Clip", {
    inputs: (s) => [s.codes("uint8", [16])],
    constants: () => [fromNumbers("uint8", [], [10]), fromNumbers("uint8", [], [200])],
    result: "uint8",
  }),
  plain("moves/Pad-uint8", "Pad of uint8", "Pad", {
    inputs: (s) => [s.codes("uint8", [4, 4])],
    constants: () => [int64([4], [1, 1, 1, 1]), fromNumbers("uint8", [], [128])],
    result: "uint8",
  }),
  plain("moves/Resize-uint8-linear", "linear Resize of uint8", "Resize", {
    inputs: (s) => [s.codes("uint8", image)],
    constants: () => [float32([0], []), float32([4], [1, 1, 2, 2])],
    attributes: { mode: "linear" },
    result: "uint8",
    tolerance: 1,
  }),
  plain("moves/Transpose-uint8", "Transpose of uint8", "Transpose", {
    inputs: (s) => [s.codes("uint8", [4, 6])],
    result: "uint8",
  }),
  plain("float16/input", "float16 as input and output", "Relu", {
    inputs: (s) => [float16(s, [4, 4])],
    result: "float16",
    tolerance: half,
  }),
  ...(["float16", "bfloat16"] as const).flatMap((type) => [
    shortFloats(type, "MatMul", { shape: [4, 32], constants: (s) => [float16(s, [32, 5], type)] }),
    shortFloats(type, "Gemm", { shape: [4, 32], constants: (s) => [float16(s, [32, 5], type), float16(s, [5], type)] }),
    shortFloats(type, "Conv", { shape: image, constants: (s) => [float16(s, [5, 4, 3, 3], type)] }),
    shortFloats(type, "Relu", { shape: image }),
    shortFloats(type, "Add", { shape: image, constants: (s) => [float16(s, [4, 1, 1], type)] }),
    shortFloats(type, "Softmax", { shape: [4, 16] }),
    shortFloats(type, "LayerNormalization", { shape: [4, 16], constants: (s) => [float16(s, [16], type)] }),
  ]),
  shortFloats("float16", "Sigmoid", { shape: image }),
  shortFloats("float16", "Gelu", { shape: image, opset: 20 }),
  shortFloats("float16", "MaxPool", { shape: image, attributes: { kernel_shape: [2, 2] } }),
  shortFloats("float16", "GlobalAveragePool", { shape: image }),
];
