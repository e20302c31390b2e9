import { intAttribute } from "#model/attributes";
import { operand } from "#model/ops/operand";
import { type Pooling, poolingCost, poolingOf, poolingShape } from "#model/ops/pooling";
import type { Op } from "#model/ops/types";
import { type Window, windowRuns } from "#model/ops/window";
import { fromNumbers, sizeOf, toNumbers } from "#model/tensor";

/**
 * The mean under each window: of the elements inside the input, or with count_include_pad inside the padded input, its
 * padding zeros. What a ceil_mode window sees beyond the padding never counts.
 */
export const AveragePool: Op = {
  domain: "",
  name: "AveragePool",
  infer: ({ node, inputs: [x] }) => [{ element: x?.element, shape: poolingShape(node, x) }],
  cost: (node, _, [y]) => poolingCost(node, y, 1, 1),
  forward: (context) => {
    const { node } = context;
    const x = operand(context, 0);
    const pooling = poolingOf(node, x.dims);
    const means = averagePool(pooling, toNumbers(x), intAttribute(node, "count_include_pad", 0) !== 0);
    return [fromNumbers(x.type, pooling.dims, means)];
  },
};

/** The means of every plane. */
export function averagePool(pooling: Pooling, x: ArrayLike<number>, includePadding: boolean): Float64Array {
  const sums = sumWindows(pooling, x);
  const counts = planeCounts(pooling.window, includePadding);
  for (let i = 0; i < sums.length; i++) sums[i] /= counts[i % counts.length];
  return sums;
}

/** The sums under each window, padding counting as zero. */
export function sumWindows({ planes, window }: Pooling, x: ArrayLike<number>): Float64Array {
  const runs = windowRuns(window);
  const step = window.strides[window.strides.length - 1];
  const [xPlane, yPlane] = [sizeOf(window.input), sizeOf(window.output)];
  const sums = new Float64Array(planes * yPlane);
  for (let plane = 0; plane < planes; plane++) {
    for (let r = 0; r < runs.length; r += 4) {
      const to = plane * yPlane + runs[r + 1];
      const from = plane * xPlane + runs[r + 2];
      for (let i = 0; i < runs[r + 3]; i++) sums[to + i] += x[from + i * step];
    }
  }
  return sums;
}

/** How many elements each window of a plane counts: a product of one number per axis. */
function planeCounts(window: Window, includePadding: boolean): number[] {
  let counts = [1];
  for (let axis = 0; axis < window.input.length; axis++) {
    const along = windowCounts(window, axis, includePadding);
    counts = counts.flatMap((count) => along.map((inside) => count * inside));
  }
  return counts;
}

/** How many positions each window counts along one axis. */
export function windowCounts(window: Window, axis: number, includePadding: boolean): number[] {
  const { input, output, kernel, strides, dilations, padBegin, padEnd } = window;
  const [from, to] = includePadding ? [-padBegin[axis], input[axis] + padEnd[axis]] : [0, input[axis]];
  return Array.from({ length: output[axis] }, (_, p) => {
    let inside = 0;
    for (let q = 0; q < kernel[axis]; q++) {
      const at = p * strides[axis] + q * dilations[axis] - padBegin[axis];
      if (at >= from && at < to) inside++;
    }
    return inside;
  });
}
