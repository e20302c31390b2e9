import { LowbitError } from "#base/errors";
import { intAttribute, intsAttribute, stringAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { countOf, dimsOf, operand, placeOf } from "#model/ops/operand";
import type { Known, Op } from "#model/ops/types";
import { simplifyWindow, spatial, type Window, windowRuns } from "#model/ops/window";
import { fromNumbers, sizeOf, toNumbers } from "#model/tensor";

/**
 * Transposed convolution: each input element adds its weighted kernel to the output. X [N, C, …], W [C, M/group, …],
 * optional B [M] → [N, M, …]. It is the sweep of the convolution that would lead back, with input and output exchanged.
 */
export const ConvTranspose: Op = {
  domain: "",
  name: "ConvTranspose",
  infer: ({ node, inputs: [x, w] }) => [{ element: x?.element, shape: shapeOf(node, x, w) }],
  cost: (_, [x, w, bias], [y]) => {
    const perElement = dimsOf(w)
      .slice(1)
      .reduce((product, dim) => product * dim, 1);
    return { macs: countOf(x) * perElement, flops: bias === undefined ? 0 : countOf(y) };
  },
  forward: (context) => {
    const { node } = context;
    const [x, w, bias] = [operand(context, 0), operand(context, 1), context.inputs[2]];
    const group = intAttribute(node, "group", 1);
    const [batch, channels, ...input] = x.dims;
    const [rows, perGroup, ...kernel] = w.dims;
    if (rows !== channels || channels % group !== 0 || kernel.length !== input.length)
      throw new LowbitError(
        "model/shape",
        `ConvTranspose of [${x.dims.join(", ")}] with weights [${w.dims.join(", ")}] in ${group} groups`,
        { at: placeOf(node) },
      );
    const back = backwardWindow(node, input, kernel) as Window;
    const y = convolveTransposed(
      { batch, channels, filters: perGroup * group, group, back },
      toNumbers(x),
      toNumbers(w),
      bias && toNumbers(bias),
    );
    return [fromNumbers(x.type, [batch, perGroup * group, ...back.input], y)];
  },
};

interface Transposed {
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  readonly group: number;
  readonly back: Window;
}

function convolveTransposed(
  { batch, channels, filters, group, back }: Transposed,
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  bias?: ArrayLike<number>,
): Float64Array {
  const simple = simplifyWindow(back);
  const runs = windowRuns(simple);
  const step = simple.strides[simple.strides.length - 1];
  const [yPlane, xPlane, kernel] = [sizeOf(simple.input), sizeOf(simple.output), sizeOf(simple.kernel)];
  const [inputs, outputs] = [channels / group, filters / group];
  const y = new Float64Array(batch * filters * yPlane);
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < filters; o++) {
      const yBase = (n * filters + o) * yPlane;
      if (bias !== undefined) y.fill(bias[o], yBase, yBase + yPlane);
      const first = Math.floor(o / outputs) * inputs;
      for (let c = first; c < first + inputs; c++) {
        const xBase = (n * channels + c) * xPlane;
        const wBase = (c * outputs + (o % outputs)) * kernel;
        for (let r = 0; r < runs.length; r += 4) {
          const weight = w[wBase + runs[r]];
          const from = xBase + runs[r + 1];
          const to = yBase + runs[r + 2];
          const length = runs[r + 3];
          for (let i = 0; i < length; i++) y[to + i * step] += weight * x[from + i];
        }
      }
    }
  }
  return y;
}

/**
 * The window of the convolution from y back to x: its `output` is x's dims, its `input` y's. Unknown dims stay null.
 */
export function backwardWindow(
  node: Node,
  output: readonly Dim[],
  kernel: readonly number[],
): Omit<Window, "input" | "output"> & { readonly input: readonly Dim[]; readonly output: readonly Dim[] } {
  const rank = output.length;
  const strides = spatial(node, "strides", rank, 1);
  const dilations = spatial(node, "dilations", rank, 1);
  const extra = spatial(node, "output_padding", rank, 0);
  // older exporters give output_shape with batch and channels
  const wanted = intsAttribute(node, "output_shape")?.slice(-rank);
  const autoPad = stringAttribute(node, "auto_pad", "NOTSET");
  const pads = autoPad === "NOTSET" ? intsAttribute(node, "pads") : undefined;
  const input: Dim[] = [];
  const padBegin: number[] = [];
  const padEnd: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const size = output[axis];
    const beyond = extra[axis] + (kernel[axis] - 1) * dilations[axis] + 1 - strides[axis];
    const full = typeof size === "number" ? size * strides[axis] + beyond : undefined;
    const same = autoPad.startsWith("SAME") && typeof size === "number" ? size * strides[axis] : undefined;
    const target = wanted?.[axis] ?? same;
    if (target === undefined || full === undefined) {
      const [begin, end] = [pads?.[axis] ?? 0, pads?.[axis + rank] ?? 0];
      input.push(target ?? (full === undefined ? null : Math.max(full - begin - end, 0)));
      padBegin.push(begin);
      padEnd.push(end);
    } else {
      const total = Math.max(full - target, 0);
      const small = total >> 1;
      padBegin.push(autoPad === "SAME_UPPER" ? small : total - small);
      padEnd.push(autoPad === "SAME_UPPER" ? total - small : small);
      input.push(target);
    }
  }
  return { input, output, kernel, strides, dilations, padBegin, padEnd };
}

function shapeOf(node: Node, x: Known | undefined, w: Known | undefined): readonly Dim[] | undefined {
  if (x?.shape === undefined) return undefined;
  const [batch, , ...input] = x.shape;
  const perGroup = w?.shape?.[1];
  const filters = typeof perGroup === "number" ? perGroup * intAttribute(node, "group", 1) : null;
  const kernel = intsAttribute(node, "kernel_shape") ?? w?.shape?.slice(2);
  const known = kernel?.length === input.length && kernel.every((size) => typeof size === "number");
  return [batch, filters, ...(known ? backwardWindow(node, input, kernel).input : input.map(() => null))];
}
