import type { AttributeInit } from "#model/attributes";
import { type ElementType, elementTypes, float32, fromNumbers, sizeOf } from "#model/tensor";
import { activation, parameters } from "#targets/acceptance/cases/betweenCodes";
import { Sketch, type SketchOptions } from "#targets/acceptance/sketch";
import type { AcceptanceCase } from "#targets/acceptance/types";

/** How a product between codes is written. */
export interface LinearForm extends SketchOptions {
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
  readonly after?: readonly ("Relu" | "Relu6" | "HardSwish" | "LeakyRelu" | "Add" | "AddCodes" | "AddRow")[];
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

/** Shapes, and the axis of output channels in the weight. */
export const geometry = {
  Conv: { shape: [1, 8, 6, 6], filters: [6, 8, 3, 3], output: 0 },
  ConvTranspose: { shape: [1, 8, 6, 6], filters: [8, 6, 3, 3], output: 1 },
  Gemm: { shape: [4, 32], filters: [32, 6], output: 1 },
  MatMul: { shape: [4, 32], filters: [32, 6], output: 1 },
} as const;

/** Scale of the result: a wide one, and where negative values are clamped, all of it for positive ones. */
export const wide = { scale: 0.03, zero: 128 };
const positive = { scale: 0.02, zero: 0 };

/** Codes → DequantizeLinear → product → QuantizeLinear → codes, with weights and bias in the given form. */
export function linearCase(id: string, about: string, form: LinearForm): AcceptanceCase {
  const { op = "Conv", codes = "uint8", attributes = {}, after = [], result } = form;
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
  for (const next of after) y = followedBy(sketch, y, next, form, filters[geometry[op].output]);
  if (result === "float") {
    sketch.output(y);
    return sketch.finish(about, form.tolerance ?? 2e-6, { codes: "product" });
  }
  const out = parameters(sketch, after.some((next) => next === "Relu" || next === "Relu6") ? positive : wide, codes);
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

/** The weight: codes behind a DequantizeLinear, or floats. */
export function weightOf(sketch: Sketch, form: LinearForm, filters: readonly number[]): string {
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
    (_, c) => channelScale(c) * 2 ** (8 - elementTypes[weights].bits),
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

function biasOf(sketch: Sketch, { bias, axis }: LinearForm, channels: number): string {
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
  next: NonNullable<LinearForm["after"]>[number],
  form: LinearForm,
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
