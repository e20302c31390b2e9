import { intAttribute } from "#model/attributes";
import { type Convolution, convolutionCost, convolutionOf, convolutionShape } from "#model/ops/convolution";
import { interpolator, zeros } from "#model/ops/interpolation";
import { operand } from "#model/ops/operand";
import { triangle } from "#model/ops/resampling";
import { stridesOf } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { fromNumbers, sizeOf, toNumbers } from "#model/tensor";

/**
 * Convolution whose every tap reads at its own offset, between elements if need be. Inputs X, W, offset [N,
 * offset_group · kernel · axes, …output], optional B, optional mask [N, offset_group · kernel, …output] that weighs
 * each tap.
 */
export const DeformConv: Op = {
  domain: "",
  name: "DeformConv",
  infer: ({ node, inputs: [x, w] }) => [{ element: x?.element, shape: convolutionShape(node, x, w) }],
  cost: (_, [, w, , bias], [y]) => convolutionCost(w, y, bias !== undefined),
  forward: (context) => {
    const [x, w, offset, bias, mask] = [
      operand(context, 0),
      operand(context, 1),
      operand(context, 2),
      context.inputs[3],
      context.inputs[4],
    ];
    const plan = convolutionOf(context.node, x.dims, w.dims);
    const offsetGroups = intAttribute(context.node, "offset_group", 1);
    const { batch, group, inputs, outputs, window, dims } = plan;
    const [weights, biases] = [toNumbers(w), bias && toNumbers(bias)];
    const [taps, points] = [sizeOf(window.kernel), sizeOf(window.output)];
    const columns = sampledColumns(plan, toNumbers(x), toNumbers(offset), mask && toNumbers(mask), offsetGroups);
    const y = new Float64Array(sizeOf(dims));
    const filters = group * outputs;
    for (let at = 0; at < batch * filters; at++) {
      const filter = at % filters;
      if (biases !== undefined) y.fill(biases[filter], at * points, (at + 1) * points);
      const first = (Math.floor(at / filters) * group + Math.floor(filter / outputs)) * inputs * taps;
      for (let k = 0; k < inputs * taps; k++) {
        const weight = weights[filter * inputs * taps + k];
        for (let p = 0; p < points; p++) y[at * points + p] += weight * columns[(first + k) * points + p];
      }
    }
    return [fromNumbers(x.type, dims, y)];
  },
};

/** What each tap of each output reads: [batch, channels, kernel, output]. */
function sampledColumns(
  { batch, group, inputs, window }: Convolution,
  x: ArrayLike<number>,
  offset: ArrayLike<number>,
  mask: ArrayLike<number> | undefined,
  offsetGroups: number,
): Float64Array {
  const { input, output, kernel, strides, dilations, padBegin } = window;
  const [plane, points, taps, rank] = [sizeOf(input), sizeOf(output), sizeOf(kernel), input.length];
  const [outputStrides, kernelStrides] = [stridesOf(output), stridesOf(kernel)];
  const channels = group * inputs;
  const perGroup = channels / offsetGroups;
  const columns = new Float64Array(batch * channels * taps * points);
  const visitAround = interpolator(input, triangle, zeros);
  const position = new Float64Array(rank);
  for (let n = 0; n < batch; n++) {
    for (let tap = 0; tap < offsetGroups * taps; tap++) {
      const [g, q] = [Math.floor(tap / taps), tap % taps];
      for (let p = 0; p < points; p++) {
        for (let axis = 0; axis < rank; axis++) {
          const out = Math.floor(p / outputStrides[axis]) % output[axis];
          const inside = Math.floor(q / kernelStrides[axis]) % kernel[axis];
          const moved = offset[((n * offsetGroups * taps + tap) * rank + axis) * points + p];
          position[axis] = out * strides[axis] + inside * dilations[axis] - padBegin[axis] + moved;
        }
        const share = mask === undefined ? 1 : mask[(n * offsetGroups * taps + tap) * points + p];
        visitAround(position, (at, weight) => {
          for (let c = n * channels + g * perGroup; c < n * channels + (g + 1) * perGroup; c++) {
            columns[(c * taps + q) * points + p] += weight * share * x[c * plane + at];
          }
        });
      }
    }
  }
  return columns;
}
