/**
 * Gradients of normalizations. All of them centre (or not) and divide by a deviation over some axes, x̂ = (x − μ)/σ, and with
 * g = dL/dx̂ and means over those axes
 *
 *   dx = (g − mean(g) − x̂ · mean(g · x̂)) / σ
 *
 * where mean(g) stands for the centring: normalizations by the square mean lack it.
 */
import { LowbitError } from "#base/errors";
import { floatAttribute, intAttribute, intsAttribute } from "#model/attributes";
import { axisAttribute, normalizeAxes } from "#model/ops/axes";
import type { GradientContext, GradientRule, GradientWriter } from "#model/ops/gradient";
import { add, div, mul, reshaped, square, sub, zeroUnless } from "#model/ops/gradients/arithmetic";
import { gatherTaps, scatterTaps, tapsOf } from "#model/ops/gradients/taps";
import { throughFirst } from "#model/ops/gradients/throughFirst";
import { placeOf } from "#model/ops/operand";
import { sizeOf } from "#model/tensor";

interface Normalized {
  /** x̂ */
  readonly normal: string;
  /** 1/σ, at a shape that broadcasts to x. */
  readonly inverse: string;
  readonly axes: readonly number[];
  readonly centred: boolean;
}

const mean = (w: GradientWriter, x: string, axes: readonly number[]): string =>
  w.node("ReduceMean", [x, w.integers(axes)]);

const sumOver = (w: GradientWriter, x: string, axes: readonly number[]): string =>
  w.node("ReduceSum", [x, w.integers(axes)]);

/** 1/√(mean of squares + ε) */
const inverseRoot = (w: GradientWriter, x: string, axes: readonly number[], epsilon: number): string =>
  w.node("Reciprocal", [w.node("Sqrt", [add(w, mean(w, square(w, x), axes), w.scalar(epsilon))])]);

function normalized(
  w: GradientWriter,
  x: string,
  axes: readonly number[],
  epsilon: number,
  centred: boolean,
): Normalized {
  const from = centred ? sub(w, x, mean(w, x, axes)) : x;
  const inverse = inverseRoot(w, from, axes, epsilon);
  return { normal: mul(w, from, inverse), inverse, axes, centred };
}

/** dx from g = dL/dx̂. */
function through(w: GradientWriter, g: string, { normal, inverse, axes, centred }: Normalized): string {
  const along = mul(w, normal, mean(w, mul(w, g, normal), axes));
  return mul(w, sub(w, centred ? sub(w, g, mean(w, g, axes)) : g, along), inverse);
}

const lastAxes = (rank: number, axis: number): number[] => Array.from({ length: rank - axis }, (_, i) => axis + i);

/** y = x̂ · scale + bias, scale and bias broadcast to x: gradients of x, scale and bias. */
function scaled(
  w: GradientWriter,
  dy: string,
  x: Normalized,
  scale: string,
  wanted: { readonly x: boolean; readonly scale: boolean },
): { dx?: string; dscale?: string } {
  return {
    ...(wanted.x && { dx: through(w, mul(w, dy, scale), x) }),
    ...(wanted.scale && { dscale: w.sumTo(mul(w, dy, x.normal), w.shapeOf(scale)) }),
  };
}

/** Over the last axes: LayerNormalization, and RMSNormalization, which does not centre. */
const layer =
  (centred: boolean): GradientRule =>
  (context) => {
    const { node, wanted, write: w } = context;
    const [dy] = context.gradients;
    refuseStatistics(context, [1, 2]);
    if (dy === undefined) return [];
    const [x, scale, bias] = node.inputs;
    const { length: rank } = w.shapeOf(x);
    const axes = lastAxes(rank, axisAttribute(node, -1, rank));
    const { dx, dscale } =
      wanted[0] || wanted[1]
        ? scaled(w, dy, normalized(w, x, axes, floatAttribute(node, "epsilon", 1e-5), centred), scale, {
            x: wanted[0],
            scale: wanted[1],
          })
        : {};
    return [dx, dscale, wanted[2] ? w.sumTo(dy, w.shapeOf(bias)) : undefined];
  };

/** Of input + skip + bias; that sum is an output too, and its own gradient joins in. */
const skipLayer =
  (centred: boolean, betaIndex: number | undefined, biasIndex: number): GradientRule =>
  (context) => {
    const { node, gradients, wanted, write: w } = context;
    refuseStatistics(context, [1, 2]);
    const [dy, , , dsum] = gradients;
    const gamma = node.inputs[2];
    const sum = w.outputOf(node, 3);
    const axes = [w.shapeOf(sum).length - 1];
    const into = [0, 1, biasIndex].some((i) => wanted[i]);
    const { dx, dscale } =
      dy === undefined
        ? {}
        : scaled(w, dy, normalized(w, sum, axes, floatAttribute(node, "epsilon", 1e-12), centred), gamma, {
            x: into,
            scale: wanted[2],
          });
    const total = dx === undefined ? dsum : dsum === undefined ? dx : add(w, dx, dsum);
    return node.inputs.map((name, i) => {
      if (!wanted[i]) return undefined;
      if (i === 2) return dscale;
      const from = i === betaIndex ? dy : total;
      return from && w.sumTo(from, w.shapeOf(name));
    });
  };

/** Statistics are outputs for later use in a backward pass, which this is; a loss of them is not supported. */
function refuseStatistics({ node, gradients }: GradientContext, indices: readonly number[]): void {
  const used = indices.find((i) => gradients[i] !== undefined);
  if (used === undefined) return;
  throw new LowbitError(
    "model/unsupported-operator",
    `no gradient is known of ${node.op}'s output ${node.outputs[used]}`,
    {
      at: placeOf(node),
      hint: "compute the mean or deviation by operators of its own",
    },
  );
}

/** Over groups of channels. Operator set 18 has a scale per group, all others one per channel, as InstanceNormalization always. */
const group =
  (groupsOf: (context: GradientContext, channels: number) => number): GradientRule =>
  (context) => {
    const { node, wanted, write: w } = context;
    const [dy] = context.gradients;
    if (dy === undefined) return [];
    const [x, scale] = node.inputs;
    const shape = w.shapeOf(x);
    const [batch, channels, ...spatial] = shape;
    const groups = groupsOf(context, channels);
    const view = [batch, groups, channels / groups, sizeOf(spatial)];
    const count = sizeOf(w.shapeOf(scale));
    const factors = [1, groups, count / groups, 1];
    const d = reshaped(w, dy, view);
    const viewed = normalized(w, reshaped(w, x, view), [2, 3], floatAttribute(node, "epsilon", 1e-5), true);
    // planes first, then the batch
    const summed = (value: string): string => reshaped(w, w.sumTo(sumOver(w, value, [3]), factors), [count]);
    const dx = wanted[0] ? through(w, mul(w, d, reshaped(w, scale, factors)), viewed) : undefined;
    return [
      dx && reshaped(w, dx, shape),
      wanted[1] ? summed(mul(w, d, viewed.normal)) : undefined,
      wanted[2] ? summed(d) : undefined,
    ];
  };

/** Per channel. */
const batchNormalization: GradientRule = (context) => {
  const [dy] = context.gradients;
  if (dy === undefined) return [];
  const { node, write: w } = context;
  const [batch, channels, ...spatial] = w.shapeOf(dy);
  const planes = (value: string): string => reshaped(w, value, [batch, channels, sizeOf(spatial)]);
  const training = intAttribute(node, "training_mode", 0) !== 0;
  const [dx, ...others] = (training ? batchStatistics : fixedStatistics)(context, planes(node.inputs[0]), planes(dy));
  const vectors = others.map((gradient) => gradient && reshaped(w, gradient, [channels]));
  return [dx && reshaped(w, dx, w.shapeOf(dy)), ...vectors];
};

/** Per channel of [batch, channels, plane]: planes first, then the batch. */
const channelSum = (w: GradientWriter, x: string): string => sumOver(w, sumOver(w, x, [2]), [0]);

const perChannel = (w: GradientWriter, x: string): string => reshaped(w, x, [1, w.shapeOf(x)[0], 1]);

const epsilonOf = ({ node, write: w }: GradientContext): string => w.scalar(floatAttribute(node, "epsilon", 1e-5));

/** While training they are the batch's own, and the gradient passes through them. The running ones are state and pass nothing on. */
function batchStatistics(context: GradientContext, x: string, dy: string): (string | undefined)[] {
  const { node, wanted, write: w } = context;
  const [batch, , plane] = w.shapeOf(x);
  const count = w.scalar(batch * plane);
  const average = (value: string): string => div(w, channelSum(w, value), count);
  const centred = sub(w, x, average(x));
  const variance = average(square(w, centred));
  const inverse = w.node("Reciprocal", [w.node("Sqrt", [add(w, variance, epsilonOf(context))])]);
  const factor = mul(w, perChannel(w, node.inputs[1]), inverse);
  const dbias = channelSum(w, dy);
  const dscale = mul(w, channelSum(w, mul(w, dy, centred)), inverse);
  if (!wanted[0]) return [undefined, dscale, dbias];
  // what depends on the channel alone is multiplied together before it meets the big tensors
  const straight = mul(w, sub(w, dy, div(w, dbias, count)), factor);
  const along = mul(w, centred, mul(w, mul(w, factor, inverse), div(w, dscale, count)));
  return [sub(w, straight, along), dscale, dbias];
}

/** Afterwards they are constants, or inputs like others: ∂y/∂mean = −scale/σ, ∂y/∂variance = −x̂·scale/2σ². */
function fixedStatistics(context: GradientContext, x: string, dy: string): (string | undefined)[] {
  const { node, wanted, write: w } = context;
  const [scale, mean, variance] = [1, 3, 4].map((i) => perChannel(w, node.inputs[i]));
  const inverse = w.node("Reciprocal", [w.node("Sqrt", [add(w, variance, epsilonOf(context))])]);
  const factor = mul(w, scale, inverse);
  const dbias = wanted[2] || wanted[3] ? channelSum(w, dy) : undefined;
  const dscale = wanted[1] || wanted[4] ? mul(w, channelSum(w, mul(w, dy, sub(w, x, mean))), inverse) : undefined;
  return [
    wanted[0] ? mul(w, dy, factor) : undefined,
    dscale,
    dbias,
    wanted[3] && dbias !== undefined ? w.node("Neg", [mul(w, dbias, factor)]) : undefined,
    wanted[4] && dscale !== undefined ? mul(w, dscale, mul(w, mul(w, factor, inverse), w.scalar(-0.5))) : undefined,
  ];
}

/** The specification adds 10⁻⁹ to σ; the gradient takes σ for both, a relative error of 10⁻⁹/σ. */
const meanVariance = throughFirst((dy, { node, write: w }) => {
  const [x] = node.inputs;
  const axes = normalizeAxes(node, intsAttribute(node, "axes") ?? [0, 2, 3], w.shapeOf(x).length);
  const centred = sub(w, x, mean(w, x, axes));
  const deviation = add(w, w.node("Sqrt", [mean(w, square(w, centred), axes)]), w.scalar(1e-9));
  const inverse = w.node("Reciprocal", [deviation]);
  return through(w, dy, { normal: mul(w, centred, inverse), inverse, axes, centred: true });
});

/** y = x/‖x‖ along an axis: (dy − ‖x‖′ · Σ dy·y)/‖x‖, the norm's slope y for p = 2 and sign(x) for p = 1; 0 where the norm is 0. */
const lpNormalization = throughFirst((dy, { node, write: w }) => {
  const [x] = node.inputs;
  const [y] = node.outputs;
  const euclidean = intAttribute(node, "p", 2) === 2;
  const axes = [axisAttribute(node, -1, w.shapeOf(x).length)];
  const norm = w.node(euclidean ? "ReduceL2" : "ReduceL1", [x, w.integers(axes)]);
  const some = w.node("Greater", [norm, w.scalar(0)]);
  const slope = euclidean ? y : w.node("Sign", [x]);
  const rest = sub(w, dy, mul(w, slope, sumOver(w, mul(w, dy, y), axes)));
  return zeroUnless(w, some, div(w, rest, w.node("Where", [some, norm, w.scalar(1)])));
});

/** y = x/s^β, s = bias + α/size · Σ x² over near channels: dx = dy/s^β − 2αβ/size · x · Σ dy·y/s over the channels that x is near to. */
const localResponse = throughFirst((dy, { node, write: w }) => {
  const [x] = node.inputs;
  const [y] = node.outputs;
  const channels = w.shapeOf(x)[1];
  const size = intAttribute(node, "size", 1);
  const [alpha, beta] = [floatAttribute(node, "alpha", 1e-4) / size, floatAttribute(node, "beta", 0.75)];
  const near = tapsOf(channels, size, channels, (c, k) => c - Math.floor((size - 1) / 2) + k);
  const squares = mul(w, gatherTaps(w, square(w, x), 1, near), w.scalar(alpha));
  const s = add(w, squares, w.scalar(floatAttribute(node, "bias", 1)));
  const shared = scatterTaps(w, div(w, mul(w, dy, y), s), 1, near, channels);
  const straight = mul(w, dy, w.node("Pow", [s, w.scalar(-beta)]));
  return sub(w, straight, mul(w, mul(w, x, shared), w.scalar(2 * alpha * beta)));
});

export const normalizationGradients: Readonly<Record<string, GradientRule>> = {
  LayerNormalization: layer(true),
  RMSNormalization: layer(false),
  "com.microsoft:SkipLayerNormalization": skipLayer(true, 3, 4),
  "com.microsoft:SkipSimplifiedLayerNormalization": skipLayer(false, undefined, 3),
  GroupNormalization: group(({ node }) => intAttribute(node, "num_groups", 1)),
  InstanceNormalization: group((_, channels) => channels),
  BatchNormalization: batchNormalization,
  MeanVarianceNormalization: meanVariance,
  LpNormalization: lpNormalization,
  LRN: localResponse,
};
