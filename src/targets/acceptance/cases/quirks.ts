/** What ONNX Runtime's optimizer does to layers that a file keeps in float on purpose: the kernels of these rows tell. */
import { float32, int64, type Tensor } from "#model/tensor";
import type { AttributeInit } from "#model/attributes";
import { activation, parameters } from "#targets/acceptance/cases/betweenCodes";
import { Sketch } from "#targets/acceptance/sketch";
import type { AcceptanceCase } from "#targets/acceptance/types";

const positive = { scale: 0.01, zero: 0 };

interface Follower {
  readonly op: string;
  readonly attributes?: Readonly<Record<string, AttributeInit>>;
  readonly constants?: readonly Tensor[];
}

const followers: readonly Follower[] = [
  { op: "MaxPool", attributes: { kernel_shape: [2, 2] } },
  { op: "AveragePool", attributes: { kernel_shape: [2, 2] } },
  { op: "Transpose", attributes: { perm: [0, 2, 3, 1] } },
  { op: "Reshape", constants: [int64([2], [1, -1])] },
];

/** Float Conv → float operator → QuantizeLinear: is the quantizer moved up through the operator? */
function quantizeBehind({ op, attributes = {}, constants = [] }: Follower, barrier = false): AcceptanceCase {
  const sketch = new Sketch(`quirk/quantizeBehind-${op}${barrier ? "-Relu" : ""}`);
  const x = sketch.input(sketch.floats([1, 4, 8, 8]));
  const conv = sketch.node("Conv", [x, sketch.constant(sketch.floats([4, 4, 3, 3], 0.2))]);
  const moved = sketch.node(op, [conv, ...constants.map((each) => sketch.constant(each))], attributes);
  const y = barrier ? sketch.node("Relu", [moved]) : moved;
  sketch.output(sketch.node("QuantizeLinear", [y, ...parameters(sketch, barrier ? positive : activation)]), "uint8");
  return sketch.finish(`float Conv and ${op}${barrier ? " and Relu" : ""}, then QuantizeLinear`, 1);
}

/** DequantizeLinear → float operator → float Conv: is the dequantizer moved down through it? */
function dequantizeBefore({ op, attributes = {}, constants = [] }: Follower): AcceptanceCase {
  const sketch = new Sketch(`quirk/dequantizeBefore-${op}`);
  const codes = sketch.input(sketch.codes("uint8", [1, 4, 8, 8]));
  const x = sketch.node("DequantizeLinear", [codes, ...parameters(sketch, activation)]);
  const moved = sketch.node(op, [x, ...constants.map((each) => sketch.constant(each))], attributes);
  sketch.output(sketch.node("Conv", [moved, sketch.constant(sketch.floats([4, 4, 3, 3], 0.2))]));
  return sketch.finish(`DequantizeLinear, then float ${op} and Conv`, 2e-6);
}

/** Q and DQ of one grid behind one another, which a rounding pass may take for nothing. */
function adjacentPairs(same: boolean): AcceptanceCase {
  const sketch = new Sketch(`quirk/adjacentPairs-${same ? "sameGrid" : "otherGrid"}`);
  let x = sketch.input(sketch.floats([4, 16], 1.5));
  for (const grid of [positive, same ? positive : activation]) {
    const constants = parameters(sketch, grid);
    x = sketch.node("DequantizeLinear", [sketch.node("QuantizeLinear", [x, ...constants]), ...constants]);
  }
  sketch.output(x);
  return sketch.finish(`two pairs of Q and DQ in a row, ${same ? "of one grid" : "of two grids"}`, 1e-6);
}

/** A Clip that is narrower than the codes must not be dropped. */
function narrowClip(): AcceptanceCase {
  const sketch = new Sketch("quirk/narrowClip");
  const bounds = [-0.3, 0.4].map((bound) => sketch.constant(float32([], [bound])));
  const clipped = sketch.node("Clip", [sketch.input(sketch.floats([4, 16], 1.5)), ...bounds]);
  sketch.output(sketch.node("QuantizeLinear", [clipped, ...parameters(sketch, activation)]), "uint8");
  return sketch.finish("Clip narrower than the range of the codes, then QuantizeLinear", 0);
}

export const quirkCases: readonly AcceptanceCase[] = [
  ...followers.map((follower) => quantizeBehind(follower)),
  quantizeBehind(followers[0], true),
  ...followers.slice(0, 2).map(dequantizeBefore),
  adjacentPairs(true),
  adjacentPairs(false),
  narrowClip(),
];
