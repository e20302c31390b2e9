import { LowbitError } from "#base/errors";
import { roundHalfEven } from "#math/round";
import { floatAttribute, intAttribute, intsAttribute, stringAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { normalizeAxes } from "#model/ops/axes";
import { isStatic } from "#model/ops/dims";
import { contentOf, isInteger, knownTensor, numbersOf } from "#model/ops/known";
import { countOf, operand, placeOf } from "#model/ops/operand";
import { codeRangeOf } from "#model/ops/quantization";
import { cubic, filterTaps, nearestTaps, resampleAxis, type Taps, triangle } from "#model/ops/resampling";
import { stridesOf } from "#model/ops/strides";
import type { Known, Op } from "#model/ops/types";
import { type ElementType, fromNumbers, toNumbers } from "#model/tensor";

/**
 * Resamples any axes to given sizes or by given scales, by nearest neighbour, lines or cubics. Inputs X, roi, scales,
 * sizes (operator set 10: X, scales); `axes` says which axes the last three speak of. With tf_crop_and_resize what lies
 * outside of X becomes extrapolation_value. Sizes that scales lead to are ⌊size · scale⌋ whatever the roi, as onnx
 * infers them. Integers are rounded, as in onnx's definition (ONNX Runtime truncates them).
 */
export const Resize = {
  domain: "",
  name: "Resize",
  infer: (context) => {
    const x = context.inputs[0];
    return [
      {
        element: x?.element,
        shape: x?.shape && targetDims(wishOf(context.node, context.opset, context.inputs, x.shape.length), x.shape),
      },
    ];
  },
  cost: (node, _, [y]) => {
    const perAxis = { nearest: 0, linear: 3, cubic: 7 }[stringAttribute(node, "mode", "nearest")] ?? 0;
    return { macs: 0, flops: perAxis * countOf(y) };
  },
  forward: (context) => {
    const x = operand(context, 0);
    const extrapolation = floatAttribute(context.node, "extrapolation_value", 0);
    let values: Float32Array | Float64Array = toNumbers(x);
    let dims = x.dims;
    const inputs = context.inputs.map((input) => input && knownTensor(input));
    for (const { axis, output, taps, outside } of resampledAxes(context.node, context.opset, inputs, dims)) {
      values = resampleAxis(values, dims, axis, taps);
      dims = dims.map((dim, a) => (a === axis ? output : dim));
      fillOutside(values, stridesOf(dims)[axis], outside, extrapolation);
    }
    return [fromNumbers(x.type, dims, isInteger(x.type) ? values.map(roundWithin(x.type)) : values)];
  },
} satisfies Op;

/** What the node asks for; entry i of each list speaks of axes[i]. */
interface Wish {
  readonly axes: readonly number[];
  readonly scales: ArrayLike<number> | undefined;
  readonly sizes: readonly Dim[] | undefined;
  readonly roi: ArrayLike<number> | undefined;
  readonly policy: string;
}

function wishOf(node: Node, opset: number, inputs: readonly (Known | undefined)[], rank: number): Wish {
  const [roi, scales, sizes] = opset < 11 ? [undefined, inputs[1], undefined] : inputs.slice(1);
  const axes = intsAttribute(node, "axes") ?? Array.from({ length: rank }, (_, axis) => axis);
  const list = <T extends { readonly length: number }>(values: T | undefined): T | undefined =>
    values !== undefined && values.length > 0 ? values : undefined;
  return {
    axes: normalizeAxes(node, axes, rank),
    scales: list(numbersOf(scales)),
    sizes: list(contentOf(sizes)),
    roi: list(numbersOf(roi)),
    policy: stringAttribute(node, "keep_aspect_ratio_policy", "stretch"),
  };
}

/** The scale that keeps the aspect ratio, for sizes that are limits; undefined where sizes are taken as they are. */
function commonScale({ axes, sizes, policy }: Wish, dims: readonly Dim[]): number | null | undefined {
  if (sizes === undefined || policy === "stretch") return undefined;
  const ratios = axes.map((axis, i) => Number(sizes[i] ?? Number.NaN) / Number(dims[axis] ?? Number.NaN));
  if (ratios.some(Number.isNaN)) return null;
  return policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
}

function targetDims(wish: Wish, dims: readonly Dim[]): readonly Dim[] {
  const { axes, scales, sizes } = wish;
  const common = commonScale(wish, dims);
  return dims.map((dim, axis) => {
    const i = axes.indexOf(axis);
    if (i < 0) return dim;
    if (common !== undefined) return common !== null && typeof dim === "number" ? Math.floor(common * dim + 0.5) : null;
    if (sizes !== undefined) return sizes[i] ?? null;
    if (scales === undefined) return null;
    // in float32, as everyone computes it: 10 · 0.7 is 7
    return typeof dim === "number" ? Math.floor(Math.fround(dim * scales[i])) : scales[i] === 1 ? dim : null;
  });
}

/** What happens along one axis. */
interface AxisPlan {
  readonly axis: number;
  readonly input: number;
  readonly output: number;
  readonly scale: number;
  readonly transformation: string;
  /** Region of interest, in units of the input's length − 1. */
  readonly start: number;
  readonly end: number;
}

interface ResampledAxis {
  readonly axis: number;
  readonly output: number;
  readonly taps: Taps;
  /** Per output element whether it lies outside of X and is not computed: only with tf_crop_and_resize. */
  readonly outside: readonly boolean[];
}

/** The axes that change, and how. `inputs`: what is known of the node's inputs, of which only the first may be without a value. */
export function resampledAxes(
  node: Node,
  opset: number,
  inputs: readonly (Known | undefined)[],
  dims: readonly number[],
): ResampledAxis[] {
  return axisPlans(node, opset, inputs, dims).map((plan) => {
    const positions = Float64Array.from({ length: plan.output }, (_, i) => originalPosition(plan, i));
    const crops = plan.transformation === "tf_crop_and_resize";
    const outside = Array.from(positions, (at) => crops && (at < 0 || at > plan.input - 1));
    return { axis: plan.axis, output: plan.output, taps: tapsOf(node, opset, plan, positions), outside };
  });
}

function axisPlans(
  node: Node,
  opset: number,
  inputs: readonly (Known | undefined)[],
  dims: readonly number[],
): AxisPlan[] {
  const wish = wishOf(node, opset, inputs, dims.length);
  const target = targetDims(wish, dims);
  if (!isStatic(target) || (wish.scales ?? wish.sizes)?.length !== wish.axes.length)
    throw new LowbitError("model/shape", `${node.op} needs a scale or a size for each of ${wish.axes.length} axes`, {
      at: placeOf(node),
    });
  const common = commonScale(wish, dims);
  const transformation =
    opset < 11 ? "asymmetric" : stringAttribute(node, "coordinate_transformation_mode", "half_pixel");
  const count = wish.axes.length;
  const plans = wish.axes.map(
    (axis, i): AxisPlan => ({
      axis,
      input: dims[axis],
      output: target[axis],
      scale: common ?? (wish.sizes === undefined ? wish.scales?.[i] : undefined) ?? target[axis] / dims[axis],
      transformation,
      start: wish.roi?.[i] ?? 0,
      end: wish.roi?.[i + count] ?? 1,
    }),
  );
  return plans.filter(
    ({ input, output, scale, start, end }) =>
      input !== output || scale !== 1 || (transformation === "tf_crop_and_resize" && (start !== 0 || end !== 1)),
  );
}

/** Where output element i lies on the input's axis: the specification's formulas. */
function originalPosition({ input, output, scale, transformation, start, end }: AxisPlan, i: number): number {
  // the output's length before it was rounded down to an integer
  const length = scale * input;
  switch (transformation) {
    case "half_pixel":
      return (i + 0.5) / scale - 0.5;
    case "half_pixel_symmetric":
      return (input / 2) * (1 - output / length) + (i + 0.5) / scale - 0.5;
    case "pytorch_half_pixel":
      return output > 1 ? (i + 0.5) / scale - 0.5 : 0;
    case "align_corners":
      return length === 1 ? 0 : (i * (input - 1)) / (length - 1);
    case "asymmetric":
      return i / scale;
    case "tf_half_pixel_for_nn":
      return (i + 0.5) / scale;
    case "tf_crop_and_resize":
      return output > 1
        ? start * (input - 1) + (i * (end - start) * (input - 1)) / (length - 1)
        : 0.5 * (start + end) * (input - 1);
    default:
      throw new LowbitError("model/attribute", `Resize knows no coordinate transformation ${transformation}`);
  }
}

function tapsOf(node: Node, opset: number, { input, scale }: AxisPlan, positions: Float64Array): Taps {
  const mode = stringAttribute(node, "mode", "nearest");
  const stretch = intAttribute(node, "antialias", 0) === 0 ? 1 : Math.max(1, 1 / scale);
  const excludeOutside = intAttribute(node, "exclude_outside", 0) !== 0;
  if (mode === "linear" || mode === "bilinear") return filterTaps(positions, input, triangle, stretch, excludeOutside);
  if (mode === "cubic") {
    const filter = cubic(floatAttribute(node, "cubic_coeff_a", -0.75));
    return filterTaps(positions, input, filter, stretch, excludeOutside);
  }
  if (mode !== "nearest")
    throw new LowbitError("model/attribute", `${node.op} knows no mode ${mode}`, { at: placeOf(node) });
  // before operator set 11 there was no nearest_mode; ONNX Runtime rounds so that no element is skipped
  if (opset < 11) return nearestTaps(positions, input, scale < 1 ? Math.ceil : Math.floor);
  const name = stringAttribute(node, "nearest_mode", "round_prefer_floor");
  const rounding = nearestModes.get(name);
  if (rounding !== undefined) return nearestTaps(positions, input, rounding);
  throw new LowbitError("model/attribute", `Resize knows no nearest_mode ${name}`, { at: placeOf(node) });
}

const nearestModes: ReadonlyMap<string, (x: number) => number> = new Map([
  ["round_prefer_floor", (x) => Math.ceil(x - 0.5)],
  ["round_prefer_ceil", (x) => Math.floor(x + 0.5)],
  ["floor", Math.floor],
  ["ceil", Math.ceil],
]);

/** Overwrites what lies outside of the input along an axis whose elements are `inner` apart. */
function fillOutside(y: Float32Array | Float64Array, inner: number, outside: readonly boolean[], value: number): void {
  if (!outside.includes(true)) return;
  for (let row = 0; row < y.length / inner; row++)
    if (outside[row % outside.length]) y.fill(value, row * inner, (row + 1) * inner);
}

function roundWithin(type: ElementType): (x: number) => number {
  const [low, high] = codeRangeOf(type);
  return (x) => Math.min(Math.max(roundHalfEven(x), low), high);
}
