/** Operators that take codes: ONNX's own and ONNX Runtime's, by the types of activations and weights. */
import type { AttributeInit } from "#model/attributes";
import { float32, fromNumbers, sizeOf, type Tensor } from "#model/tensor";
import { Sketch } from "#targets/acceptance/sketch";
import type { AcceptanceCase } from "#targets/acceptance/types";

const contrib = "com.microsoft";
const floatSums = 2e-6;
/** The hidden state of one step may round to the neighbouring code, and so go on. */
const recurrence = 5e-3;

const pairs = [
  ["uint8", "int8"],
  ["uint8", "uint8"],
  ["int8", "int8"],
  ["int8", "uint8"],
] as const;
type Code = (typeof pairs)[number][number];

const middle = (type: Code): number => (type === "uint8" ? 128 : 0);

/** Parameters of a grid as constants: a scale, and a zero point off the middle. */
function grid(sketch: Sketch, type: Code, scale: number, off = 3): string[] {
  return [sketch.constant(float32([], [scale])), sketch.constant(fromNumbers(type, [], [middle(type) + off]))];
}

/** Weight codes of half the range (see linear.ts). */
const weights = (sketch: Sketch, type: Code, dims: readonly number[]): Tensor =>
  sketch.codes(type, dims, middle(type) - 64, middle(type) + 63);

/** Scales and zero points of weights, per channel. */
function channels(sketch: Sketch, type: Code, count: number): string[] {
  return [
    sketch.constant(
      float32(
        [count],
        Float32Array.from({ length: count }, (_, c) => 0.003 + 0.001 * c),
      ),
    ),
    sketch.constant(
      fromNumbers(
        type,
        [count],
        Array.from({ length: count }, () => middle(type)),
      ),
    ),
  ];
}

function sums(op: "ConvInteger" | "MatMulInteger", a: Code, b: Code, perChannel = false): AcceptanceCase {
  const sketch = new Sketch(`integer/${op}-${a}-${b}${perChannel ? "-perChannel" : ""}`);
  const [shape, filters] =
    op === "ConvInteger"
      ? [
          [1, 4, 6, 6],
          [5, 4, 3, 3],
        ]
      : [
          [4, 32],
          [32, 5],
        ];
  const zero = (type: Code, count?: number): string =>
    sketch.constant(
      fromNumbers(
        type,
        count === undefined ? [] : [count],
        Array.from({ length: count ?? 1 }, (_, c) => middle(type) + (count === undefined ? 0 : c - 2)),
      ),
    );
  const x = sketch.input(sketch.codes(a, shape));
  const w = sketch.constant(weights(sketch, b, filters));
  sketch.output(sketch.node(op, [x, w, zero(a), zero(b, perChannel ? 5 : undefined)]), "int32");
  // the filters are the left factor here: uint8 by int8 of full range, which processors without VNNI add up in 16 bits
  const saturates = op === "ConvInteger" && a === "int8" && b === "uint8";
  const about = `${op} of ${a} by ${b}${perChannel ? ", zero point per channel" : ""}`;
  return sketch.finish(about, 0, saturates ? { varies: true } : {});
}

function qlinearConv(a: Code, b: Code, perChannel = false): AcceptanceCase {
  const sketch = new Sketch(`integer/QLinearConv-${a}-${b}${perChannel ? "-perChannel" : ""}`);
  const y = sketch.node("QLinearConv", [
    sketch.input(sketch.codes(a, [1, 4, 6, 6])),
    ...grid(sketch, a, 0.01),
    sketch.constant(weights(sketch, b, [5, 4, 3, 3])),
    ...(perChannel ? channels(sketch, b, 5) : grid(sketch, b, 0.005, 0)),
    ...grid(sketch, a, 0.03),
    sketch.constant(sketch.codes("int32", [5], -5000, 5000)),
  ]);
  sketch.output(y, a);
  return sketch.finish(`QLinearConv of ${a} by ${b}${perChannel ? ", scale per channel" : ""}`, 1);
}

function qlinearMatMul(a: Code, b: Code, perChannel = false): AcceptanceCase {
  const sketch = new Sketch(`integer/QLinearMatMul-${a}-${b}${perChannel ? "-perChannel" : ""}`);
  const y = sketch.node("QLinearMatMul", [
    sketch.input(sketch.codes(a, [4, 32])),
    ...grid(sketch, a, 0.01),
    sketch.constant(weights(sketch, b, [32, 5])),
    ...(perChannel ? channels(sketch, b, 5) : grid(sketch, b, 0.005, 0)),
    ...grid(sketch, a, 0.03),
  ]);
  sketch.output(y, a);
  return sketch.finish(`QLinearMatMul of ${a} by ${b}${perChannel ? ", scale per channel" : ""}`, 1);
}

function qgemm(a: Code, b: Code, result: "codes" | "float", perChannel = false): AcceptanceCase {
  const sketch = new Sketch(`integer/QGemm-${a}-${b}-${result}${perChannel ? "-perChannel" : ""}`);
  const y = sketch.node(
    "QGemm",
    [
      sketch.input(sketch.codes(a, [4, 32])),
      ...grid(sketch, a, 0.01),
      sketch.constant(weights(sketch, b, [5, 32])),
      ...(perChannel ? channels(sketch, b, 5) : grid(sketch, b, 0.005, 0)),
      sketch.constant(sketch.codes("int32", [5], -5000, 5000)),
      ...(result === "codes" ? grid(sketch, a, 0.03) : []),
    ],
    { transB: 1 },
    contrib,
  );
  sketch.output(y, result === "codes" ? a : "float32");
  const about = `QGemm of ${a} by ${b}, result as ${result === "codes" ? "codes" : "floats"}`;
  return sketch.finish(about + (perChannel ? ", scale per channel" : ""), result === "codes" ? 1 : floatSums);
}

/** ONNX Runtime's functions of codes with grids of their own. */
function pointwise(
  op: string,
  type: Code,
  shapes: readonly (readonly number[])[],
  attributes: Readonly<Record<string, AttributeInit>> = {},
): AcceptanceCase {
  const sketch = new Sketch(`integer/${op}-${type}`);
  const operands = shapes.flatMap((shape, i) => [
    sketch.input(sketch.codes(type, shape)),
    ...grid(sketch, type, 0.01 + 0.004 * i),
  ]);
  const bounded = op === "QLinearSoftmax" || op === "QLinearSigmoid";
  const result = bounded ? grid(sketch, type, 1 / 256, -middle("uint8")) : grid(sketch, type, 0.02);
  const inputs = op === "QLinearConcat" ? [...result, ...operands] : [...operands, ...result];
  sketch.output(sketch.node(op, inputs, attributes, contrib), type);
  return sketch.finish(`${op} of ${type}`, 1);
}

function dynamicMatMul(
  b: Code,
  options: { perChannel?: boolean; bias?: boolean; zero?: boolean } = {},
): AcceptanceCase {
  const { perChannel = false, bias = false, zero = true } = options;
  const form = [b, ...(perChannel ? ["perChannel"] : []), ...(bias ? ["bias"] : []), ...(zero ? [] : ["noZero"])];
  const sketch = new Sketch(`integer/DynamicQuantizeMatMul-${form.join("-")}`);
  const [scale, zeros] = perChannel ? channels(sketch, b, 5) : grid(sketch, b, 0.005, 0);
  const inputs = [
    sketch.input(sketch.floats([4, 32])),
    sketch.constant(weights(sketch, b, [32, 5])),
    scale,
    zero ? zeros : "",
    bias ? sketch.constant(sketch.floats([5])) : "",
  ];
  while (inputs.at(-1) === "") inputs.pop();
  sketch.output(sketch.node("DynamicQuantizeMatMul", inputs, {}, contrib));
  return sketch.finish(`DynamicQuantizeMatMul by ${form.join(", ")}`, floatSums);
}

/** DynamicQuantizeLinear, an integer product, Cast and Mul: the standard operators' way. */
function dynamicProduct(op: "MatMulInteger" | "ConvInteger", b: Code, perChannel: boolean): AcceptanceCase {
  const sketch = new Sketch(`integer/dynamic-${op}-${b}${perChannel ? "-perChannel" : ""}`);
  const image = op === "ConvInteger";
  const [shape, filters] = image
    ? [
        [1, 4, 6, 6],
        [5, 4, 3, 3],
      ]
    : [
        [4, 32],
        [32, 5],
      ];
  const [q, s, z] = sketch.nodes("DynamicQuantizeLinear", [sketch.input(sketch.floats(shape))], 3);
  const w = sketch.constant(weights(sketch, b, filters));
  const total = sketch.node(op, [q, w, z, sketch.constant(fromNumbers(b, [], [middle(b)]))]);
  const dims = perChannel ? (image ? [1, 5, 1, 1] : [5]) : [];
  const scales = float32(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, (_, c) => 0.003 + 0.001 * c),
  );
  const scale = sketch.node("Mul", [s, sketch.constant(scales)]);
  sketch.output(sketch.node("Mul", [sketch.node("Cast", [total], { to: 1 }), scale]));
  const about = `DynamicQuantizeLinear, ${op} by ${b}, Cast, Mul${perChannel ? " per channel" : ""}`;
  return sketch.finish(about, floatSums, { codes: "product" });
}

function dynamicLstm(b: Code, perChannel: boolean): AcceptanceCase {
  const sketch = new Sketch(`integer/DynamicQuantizeLSTM-${b}${perChannel ? "-perChannel" : ""}`);
  const [steps, inputs, hidden] = [4, 6, 5];
  const columns = 4 * hidden;
  const parameters = (): string[] => {
    const dims = perChannel ? [1, columns] : [1];
    const scales = Float32Array.from({ length: sizeOf(dims) }, (_, c) => 0.005 + 0.0002 * c);
    const zeros = Array.from({ length: sizeOf(dims) }, () => middle(b));
    return [sketch.constant(float32(dims, scales)), sketch.constant(fromNumbers(b, dims, zeros))];
  };
  const y = sketch.node(
    "DynamicQuantizeLSTM",
    [
      sketch.input(sketch.floats([steps, 1, inputs])),
      sketch.constant(weights(sketch, b, [1, inputs, columns])),
      sketch.constant(weights(sketch, b, [1, hidden, columns])),
      sketch.constant(sketch.floats([1, 2 * columns])),
      "", // sequence lengths, initial states and peepholes are not given
      "",
      "",
      "",
      ...parameters(),
      ...parameters(),
    ],
    { hidden_size: hidden },
    contrib,
  );
  sketch.output(y);
  return sketch.finish(`DynamicQuantizeLSTM by ${b}${perChannel ? ", scale per channel" : ""}`, recurrence);
}

/** Two products of 255·127 do not fit into 16 bits (x64 without VNNI: pmaddubsw saturates; peers.md §4-5). */
function pairSums(): AcceptanceCase {
  const sketch = new Sketch("integer/saturation");
  const a = fromNumbers("uint8", [1, 64], new Float64Array(64).fill(255));
  const b = fromNumbers("int8", [64, 16], new Float64Array(64 * 16).fill(127));
  sketch.output(sketch.node("MatMulInteger", [sketch.input(a), sketch.constant(b)]), "int32");
  return sketch.finish("MatMulInteger of the greatest codes: pair sums beyond 16 bits", 0, { varies: true });
}

const image = [1, 4, 6, 6];

export const integerCases: readonly AcceptanceCase[] = [
  ...pairs.flatMap(([a, b]) => [
    sums("MatMulInteger", a, b),
    sums("ConvInteger", a, b),
    qlinearConv(a, b),
    qlinearMatMul(a, b),
    qgemm(a, b, "codes"),
    qgemm(a, b, "float"),
  ]),
  sums("MatMulInteger", "uint8", "int8", true),
  sums("MatMulInteger", "uint8", "uint8", true),
  sums("ConvInteger", "uint8", "int8", true),
  sums("ConvInteger", "uint8", "uint8", true),
  qlinearConv("uint8", "int8", true),
  qlinearMatMul("uint8", "int8", true),
  qgemm("uint8", "int8", "codes", true),
  qgemm("uint8", "int8", "float", true),
  ...(["uint8", "int8"] as const).flatMap((type) => [
    pointwise("QLinearAdd", type, [image, image]),
    pointwise("QLinearMul", type, [image, [4, 1, 1]]),
    pointwise("QLinearSigmoid", type, [image]),
    pointwise("QLinearLeakyRelu", type, [image], { alpha: { float: 0.1 } }),
    pointwise("QLinearSoftmax", type, [[4, 16]], { axis: -1, opset: 13 }),
    pointwise("QLinearAveragePool", type, [image], { kernel_shape: [2, 2] }),
    pointwise("QLinearGlobalAveragePool", type, [image], { channels_last: 0 }),
    pointwise("QLinearConcat", type, [image, image], { axis: 1 }),
  ]),
  dynamicMatMul("int8"),
  dynamicMatMul("uint8"),
  dynamicMatMul("int8", { zero: false }),
  dynamicMatMul("int8", { perChannel: true }),
  dynamicMatMul("int8", { perChannel: true, bias: true }),
  dynamicProduct("MatMulInteger", "int8", false),
  dynamicProduct("MatMulInteger", "int8", true),
  dynamicProduct("MatMulInteger", "uint8", false),
  dynamicProduct("ConvInteger", "int8", false),
  dynamicProduct("ConvInteger", "int8", true),
  dynamicProduct("ConvInteger", "uint8", false),
  dynamicLstm("int8", false),
  dynamicLstm("uint8", false),
  dynamicLstm("int8", true),
  pairSums(),
];
