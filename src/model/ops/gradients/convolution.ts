/**
 * Gradients of convolutions. With x[p ∗ q] the input under kernel position q of output p:
 *
 *   dx = the transposed convolution of dy;  dW[q] = Σ over p of dy[p] · x[p ∗ q];  dB = Σ dy
 *
 * Where there are several ways to write one, the fastest in ONNX Runtime on one thread is taken; the figures are milliseconds of
 * 64 images of 16 channels, 32×32, 3×3 kernels (forward 3.6): dx as Conv 3.5, as ConvTranspose 4.7; dW by a product a kernel
 * position 5.3, by im2col and one product 8.0, as Conv 12.9.
 */
import { backwardWindow } from "#model/ops/ConvTranspose";
import { type Convolution, convolutionOf } from "#model/ops/convolution";
import type { GradientRule, GradientWriter } from "#model/ops/gradient";
import { intAttribute } from "#model/attributes";
import { permuted, reshaped } from "#model/ops/gradients/arithmetic";
import type { Window } from "#model/ops/window";
import { sizeOf } from "#model/tensor";

const convGradient: GradientRule = ({ node, gradients: [dy], wanted, write: w }) => {
  if (dy === undefined) return [];
  const [x, weights] = node.inputs;
  const plan = convolutionOf(node, w.shapeOf(x), w.shapeOf(weights));
  return [
    wanted[0] ? inputGradient(w, plan, dy, weights) : undefined,
    wanted[1] ? weightGradient(w, plan, x, dy) : undefined,
    wanted[2] ? channelSums(w, dy) : undefined,
  ];
};

/** A transposed convolution leads from the output of a convolution back to its input: its gradients are that one's, turned around. */
const convTransposeGradient: GradientRule = ({ node, gradients: [dy], wanted, write: w }) => {
  if (dy === undefined) return [];
  const [x, weights] = node.inputs;
  const [batch, channels, ...spatial] = w.shapeOf(x);
  const [, outputs, ...kernel] = w.shapeOf(weights);
  const group = intAttribute(node, "group", 1);
  const window = backwardWindow(node, spatial, kernel) as Window;
  const plan: Convolution = {
    batch,
    group,
    inputs: outputs,
    outputs: channels / group,
    window,
    dims: [batch, channels, ...spatial],
  };
  return [
    wanted[0] ? w.node("Conv", [reached(w, window, dy), weights], attributesOf(plan)) : undefined,
    wanted[1] ? weightGradient(w, plan, dy, x) : undefined,
    wanted[2] ? channelSums(w, dy) : undefined,
  ];
};

function attributesOf({ group, window }: Convolution): Record<string, number | number[]> {
  const { kernel, strides, dilations, padBegin, padEnd } = window;
  return {
    group,
    kernel_shape: [...kernel],
    strides: [...strides],
    dilations: [...dilations],
    pads: [...padBegin, ...padEnd],
  };
}

/** The elements that some window reaches over: output_padding may add more than a stride beyond them. */
function reached(w: GradientWriter, window: Window, x: string): string {
  const { input, output, strides } = window;
  const needed = extents(window).map((extent, a) => (output[a] - 1) * strides[a] + extent - window.padBegin[a]);
  if (needed.every((size, a) => input[a] + window.padEnd[a] - size < strides[a])) return x;
  const ends = needed.map((size, a) => Math.min(size, input[a]));
  const axes = w.integers(ends.map((_, a) => a + 2));
  return w.node("Slice", [x, w.integers(ends.map(() => 0)), w.integers(ends), axes]);
}

const extents = ({ kernel, dilations }: Window): number[] => kernel.map((size, a) => (size - 1) * dilations[a] + 1);

/** dx. With stride 1 the way back is a convolution too, with the kernel turned around, which is faster unless it has few filters. */
function inputGradient(w: GradientWriter, plan: Convolution, dy: string, weights: string): string {
  const { group, inputs, outputs, window } = plan;
  const { input, output, kernel, strides, dilations, padBegin, padEnd } = window;
  const reach = extents(window);
  const pads = [...padBegin, ...padEnd].map((pad, i) => reach[i % reach.length] - 1 - pad);
  const few = inputs < 8 && outputs > 1;
  if (strides.some((stride) => stride !== 1) || pads.some((pad) => pad < 0) || few) {
    const output_padding = reach.map(
      (extent, a) => input[a] + padBegin[a] + padEnd[a] - (output[a] - 1) * strides[a] - extent,
    );
    return w.node("ConvTranspose", [dy, weights], { ...attributesOf(plan), output_padding });
  }
  const size = sizeOf(kernel);
  const all = kernel.map(() => -1);
  const ends = kernel.map((length) => -length - 1);
  const axes = kernel.map((_, a) => a + 2);
  const turned = [all, ends, axes, all].map((values) => w.integers(values));
  let filters = size === 1 ? weights : w.node("Slice", [weights, ...turned]);
  if (inputs !== 1 || outputs !== 1) {
    const grouped = reshaped(w, filters, [group, outputs, inputs, size]);
    filters = permuted(w, grouped, [0, 2, 1, 3]);
  }
  filters = reshaped(w, filters, [group * inputs, outputs, ...kernel]);
  return w.node("Conv", [dy, filters], { group, kernel_shape: [...kernel], dilations: [...dilations], pads });
}

/** Columns that a matrix product should have at least: few channels are put together with those of other kernel positions. */
const leastColumns = 32;
/** Positions per image below which the images' products are better one. */
const leastPositions = 32;

/** dW [group · outputs, inputs, …kernel] from x and dy. Each image's sum stands by itself first, which also keeps float32 sums exact. */
function weightGradient(w: GradientWriter, plan: Convolution, x: string, dy: string): string {
  const { batch, group, inputs, outputs, window } = plan;
  const taps = shiftedInputs(w, window, x);
  const shape = [group * outputs, inputs, ...window.kernel];
  const spatial = window.kernel.map((_, a) => a + 2);
  if (inputs === 1 && outputs === 1) {
    const sums = taps.map((tap) => w.node("ReduceSum", [w.node("Mul", [tap, dy]), w.integers(spatial)]));
    const together = sums.length === 1 ? sums[0] : w.node("Concat", sums, { axis: 2 });
    return reshaped(w, w.node("ReduceSum", [together, w.integers([0])], { keepdims: 0 }), shape);
  }
  const positions = sizeOf(window.output);
  const merged = positions < leastPositions;
  // [batch, group, channels, positions], or [group, channels, batch · positions]
  const matrix = (value: string, channels: number): string => {
    const grouped = reshaped(w, value, [batch, group, channels, positions]);
    if (!merged) return grouped;
    return reshaped(w, permuted(w, grouped, [1, 2, 0, 3]), [group, channels, batch * positions]);
  };
  const d = matrix(dy, outputs);
  const products: string[] = [];
  const step = Math.ceil(leastColumns / inputs);
  const rank = w.shapeOf(d).length;
  const perm = [...Array(rank - 2).keys(), rank - 1, rank - 2];
  for (let first = 0; first < taps.length; first += step) {
    const parts = taps.slice(first, first + step).map((tap) => matrix(tap, inputs));
    const columns = parts.length === 1 ? parts[0] : w.node("Concat", parts, { axis: rank - 2 });
    const product = w.node("MatMul", [d, permuted(w, columns, perm)]);
    const sum = merged ? product : w.node("ReduceSum", [product, w.integers([0])], { keepdims: 0 });
    products.push(reshaped(w, sum, [group * outputs, parts.length, inputs]));
  }
  const all = products.length === 1 ? products[0] : w.node("Concat", products, { axis: 1 });
  return reshaped(w, taps.length === 1 ? all : permuted(w, all, [0, 2, 1]), shape);
}

/** x under each kernel position, in the kernel's order: [batch, channels, …output] each. */
function shiftedInputs(w: GradientWriter, window: Window, x: string): string[] {
  const { input, output, kernel, strides, dilations, padBegin, padEnd } = window;
  const padded = [...padBegin, ...padEnd].some((pad) => pad !== 0);
  const from = padded ? w.node("Pad", [x, w.integers([0, 0, ...padBegin, 0, 0, ...padEnd])]) : x;
  const sizes = input.map((size, a) => size + padBegin[a] + padEnd[a]);
  const axes = input.map((_, a) => a + 2);
  return positionsOf(kernel).map((position) => {
    const starts = position.map((q, a) => q * dilations[a]);
    const ends = starts.map((start, a) => start + (output[a] - 1) * strides[a] + 1);
    if (ends.every((end, a) => strides[a] === 1 && starts[a] === 0 && end === sizes[a])) return from;
    return w.node("Slice", [from, ...[starts, ends, axes, strides].map((values) => w.integers(values))]);
  });
}

/** → [2, 2] gives [0, 0], [0, 1], [1, 0], [1, 1] */
function positionsOf(kernel: readonly number[]): number[][] {
  let positions: number[][] = [[]];
  for (const size of kernel)
    positions = positions.flatMap((before) => Array.from({ length: size }, (_, q) => [...before, q]));
  return positions;
}

/** Σ over everything but axis 1: plane by plane, then over the batch. */
function channelSums(w: GradientWriter, x: string): string {
  const spatial = w
    .shapeOf(x)
    .map((_, axis) => axis)
    .slice(2);
  const planes = spatial.length === 0 ? x : w.node("ReduceSum", [x, w.integers(spatial)], { keepdims: 0 });
  return w.node("ReduceSum", [planes, w.integers([0])], { keepdims: 0 });
}

export const convolutionGradients: Readonly<Record<string, GradientRule>> = {
  Conv: convGradient,
  ConvTranspose: convTransposeGradient,
};
