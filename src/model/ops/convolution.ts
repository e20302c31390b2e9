/** What Conv, ConvInteger and QLinearConv share: the sum, its shape, its cost. */
import { LowbitError } from "#base/errors";
import { intAttribute, intsAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { countOf, dimsOf, placeOf } from "#model/ops/operand";
import type { Cost, Known } from "#model/ops/types";
import { knownWindow, simplifyWindow, slidingWindow, type Window, windowRuns } from "#model/ops/window";
import { sizeOf } from "#model/tensor";

export interface Convolution {
  /** x: [batch, group · inputs, …window.input] */
  readonly batch: number;
  readonly group: number;
  /** Channels per group. w: [group · outputs, inputs, …window.kernel] */
  readonly inputs: number;
  readonly outputs: number;
  readonly window: Window;
  /** [batch, group · outputs, …window.output] */
  readonly dims: readonly number[];
}

/** Reads group, kernel_shape and the window's attributes. Throws model/shape where x, w and the attributes disagree. */
export function convolutionOf(node: Node, x: readonly number[], w: readonly number[]): Convolution {
  const group = intAttribute(node, "group", 1);
  const [batch, channels, ...input] = x;
  const [filters, inputs, ...spatial] = w;
  const kernel = intsAttribute(node, "kernel_shape") ?? spatial;
  const fits = kernel.length === spatial.length && kernel.every((size, axis) => size === spatial[axis]);
  if (input.length === 0 || !fits || channels !== inputs * group || filters % group !== 0)
    throw new LowbitError(
      "model/shape",
      `${node.op} of [${x.join(", ")}] with weights [${w.join(", ")}] in ${group} groups`,
      { at: placeOf(node) },
    );
  const window = slidingWindow(node, input, kernel);
  return { batch, group, inputs, outputs: filters / group, window, dims: [batch, filters, ...window.output] };
}

/** y[n, o, p] = bias[o] + Σ over channels c and kernel positions q of w[o, c, q] · x[n, c, p ∗ q], in float64. */
export function convolve(
  { batch, group, inputs, outputs, window }: Convolution,
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  bias?: ArrayLike<number>,
): Float64Array {
  const simple = simplifyWindow(window);
  const runs = windowRuns(simple);
  const step = simple.strides[simple.strides.length - 1];
  const [xPlane, yPlane, kernel] = [sizeOf(simple.input), sizeOf(simple.output), sizeOf(simple.kernel)];
  const filters = group * outputs;
  const y = new Float64Array(batch * filters * yPlane);
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < filters; o++) {
      const yBase = (n * filters + o) * yPlane;
      if (bias !== undefined) y.fill(bias[o], yBase, yBase + yPlane);
      const firstChannel = (n * group + Math.floor(o / outputs)) * inputs;
      for (let c = 0; c < inputs; c++) {
        const xBase = (firstChannel + c) * xPlane;
        const wBase = (o * inputs + c) * kernel;
        for (let r = 0; r < runs.length; r += 4) {
          const weight = w[wBase + runs[r]];
          const to = yBase + runs[r + 1];
          const from = xBase + runs[r + 2];
          const length = runs[r + 3];
          for (let i = 0; i < length; i++) y[to + i] += weight * x[from + i * step];
        }
      }
    }
  }
  return y;
}

/** [N, M, …] of a convolution; what is not known is null. */
export function convolutionShape(node: Node, x: Known | undefined, w: Known | undefined): readonly Dim[] | undefined {
  if (x?.shape === undefined) return undefined;
  const [batch, , ...input] = x.shape;
  const kernel = intsAttribute(node, "kernel_shape") ?? w?.shape?.slice(2);
  const known = kernel?.length === input.length && kernel.every((size) => typeof size === "number");
  const output = known ? knownWindow(node, input, kernel).output : input.map(() => null);
  return [batch, w?.shape?.[0] ?? null, ...output];
}

/**
 * One multiply-accumulate per output and weight of its filter, padding included; one addition per output for a bias.
 */
export function convolutionCost(w: Known | undefined, y: Known | undefined, biased: boolean): Cost {
  const outputs = countOf(y);
  return {
    macs:
      outputs *
      dimsOf(w)
        .slice(1)
        .reduce((product, dim) => product * dim, 1),
    flops: biased ? outputs : 0,
  };
}
