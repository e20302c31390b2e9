/** Gradients of pools: a maximum's goes to where it was found, a mean's to all that it was made of. */
import { intAttribute } from "#model/attributes";
import { windowCounts } from "#model/ops/AveragePool";
import type { GradientContext, GradientRule, GradientWriter } from "#model/ops/gradient";
import { div, mul, reshaped, zeros } from "#model/ops/gradients/arithmetic";
import { scatterTaps, tapsOf } from "#model/ops/gradients/taps";
import { throughFirst } from "#model/ops/gradients/throughFirst";
import { normOrder } from "#model/ops/LpPool";
import { poolingOf } from "#model/ops/pooling";
import type { Window } from "#model/ops/window";
import { sizeOf } from "#model/tensor";

const flat = (w: GradientWriter, x: string): string => reshaped(w, x, [sizeOf(w.shapeOf(x))]);

/** Where windows overlap, an element that is the largest of several gets all their gradients; of equals the first gets it. */
const maxPool = throughFirst((dy, context) => {
  const { node, write: w } = context;
  const shape = w.shapeOf(node.inputs[0]);
  const found = flat(w, maxima(context));
  const sums = w.node("ScatterElements", [zeros(w, [sizeOf(shape)]), found, flat(w, dy)], { reduction: "add" });
  return reshaped(w, sums, shape);
});

/** Flat row-major positions of the maxima: the pool's own second output, unless it counts in columns. */
function maxima({ node, write: w }: GradientContext): string {
  if (intAttribute(node, "storage_order", 0) === 0) return w.outputOf(node, 1);
  const { kernel, strides, dilations, padBegin, padEnd } = poolingOf(node, w.shapeOf(node.inputs[0])).window;
  const attributes = {
    kernel_shape: kernel,
    strides,
    dilations,
    pads: [...padBegin, ...padEnd],
    ceil_mode: intAttribute(node, "ceil_mode", 0),
  };
  return w.outputsOf(w.node("MaxPool", [node.inputs[0]], attributes, { outputs: 2 }))[1];
}

/** Each element's gradient is read where the element was put. */
const maxUnpool = throughFirst((dy, { node, write: w }) => {
  const [x, where] = node.inputs;
  return reshaped(w, w.node("GatherElements", [flat(w, dy), flat(w, where)]), w.shapeOf(x));
});

/** Each plane's gradient goes to the first of its largest elements. */
const globalMaxPool = throughFirst((dy, { node, write: w }) => {
  const [x] = node.inputs;
  const shape = w.shapeOf(x);
  const [batch, channels, ...spatial] = shape;
  const planes = [batch, channels, sizeOf(spatial)];
  const where = w.node("ArgMax", [reshaped(w, x, planes)], { axis: 2 });
  const placed = w.node("ScatterElements", [zeros(w, planes), where, reshaped(w, dy, [batch, channels, 1])], {
    axis: 2,
  });
  return reshaped(w, placed, shape);
});

/** A window is a product of one per axis, so a mean's gradient is spread axis by axis. */
const averagePool = throughFirst((dy, { node, write: w }) => {
  const { window } = poolingOf(node, w.shapeOf(node.inputs[0]));
  const padding = intAttribute(node, "count_include_pad", 0) !== 0;
  return spread(w, dy, window, (axis) => {
    const counts = windowCounts(window, axis, padding);
    return (p) => 1 / counts[p];
  });
});

/** Every element under a window gets the window's gradient, times a weight of its output's position on each axis. */
function spread(
  w: GradientWriter,
  dy: string,
  window: Window,
  weightAlong: (axis: number) => (position: number) => number,
): string {
  const { input, output, kernel, strides, dilations, padBegin } = window;
  return input.reduce((gradient, size, axis) => {
    const at = (p: number, q: number): number => p * strides[axis] + q * dilations[axis] - padBegin[axis];
    return scatterTaps(w, gradient, axis + 2, tapsOf(output[axis], kernel[axis], size, at, weightAlong(axis)), size);
  }, dy);
}

const globalAveragePool = throughFirst((dy, { node, write: w }) => {
  const shape = w.shapeOf(node.inputs[0]);
  const mean = div(w, dy, w.scalar(sizeOf(shape.slice(2))));
  return w.node("Expand", [mean, w.integers(shape)]);
});

/** y = (Σ |x|ᵖ)^(1/p): dx = sign(x)·|x|^(p−1) · Σ over windows of dy·y^(1−p); 0 where a norm is 0. */
const normPool = (spreadOver: (context: GradientContext, share: string) => string): GradientRule =>
  throughFirst((dy, context) => {
    const { node, write: w } = context;
    const [x] = node.inputs;
    const [y] = node.outputs;
    const p = normOrder(node);
    const zero = w.node("Equal", [y, w.scalar(0)]);
    const divisor = w.node("Pow", [w.node("Where", [zero, w.scalar(1), y]), w.scalar(p - 1)]);
    const share = spreadOver(context, div(w, dy, divisor));
    const size = w.node("Pow", [w.node("Abs", [x]), w.scalar(p - 1)]);
    return mul(w, share, p === 2 ? x : mul(w, w.node("Sign", [x]), size));
  });

export const poolingGradients: Readonly<Record<string, GradientRule>> = {
  MaxPool: maxPool,
  GlobalMaxPool: globalMaxPool,
  MaxUnpool: maxUnpool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  LpPool: normPool(({ node, write: w }, share) =>
    spread(w, share, poolingOf(node, w.shapeOf(node.inputs[0])).window, () => () => 1),
  ),
  GlobalLpPool: normPool((_, share) => share),
};
