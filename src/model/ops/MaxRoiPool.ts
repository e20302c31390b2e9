import { roundHalfAway } from "#math/round";
import { floatAttribute, intsAttribute } from "#model/attributes";
import { countOf, operand } from "#model/ops/operand";
import { allocateChecked } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { fromNumbers, toNumbers } from "#model/tensor";

/**
 * Regions of interest, each divided into the same number of bins, of each bin the largest element (Fast R-CNN). Inputs
 * X [N, C, H, W], rois [R, 5] as (sample, x1, y1, x2, y2), both corners inside → [R, C, …pooled_shape]. An empty bin
 * gives 0.
 */
export const MaxRoiPool: Op = {
  domain: "",
  name: "MaxRoiPool",
  infer: ({ node, inputs: [x, rois] }) => {
    const [rows, columns] = intsAttribute(node, "pooled_shape") ?? [null, null];
    return [{ element: x?.element, shape: [rois?.shape?.[0] ?? null, x?.shape?.[1] ?? null, rows, columns] }];
  },
  // at least one comparison each; how many depends on the regions
  cost: (_, __, [y]) => ({ macs: 0, flops: countOf(y) }),
  forward: (context) => {
    const { node } = context;
    const [x, rois] = [operand(context, 0), toNumbers(operand(context, 1))];
    const values = toNumbers(x);
    const [, channels, height, width] = x.dims;
    const [rows, columns] = intsAttribute(node, "pooled_shape") ?? [1, 1];
    const scale = floatAttribute(node, "spatial_scale", 1);
    const dims = [rois.length / 5, channels, rows, columns];
    const y = allocateChecked("float64", dims) as Float64Array;
    for (let at = 0; at < y.length; at++) {
      const [column, row] = [at % columns, Math.floor(at / columns) % rows];
      const [batch, x1, y1, x2, y2] = rois.subarray(5 * Math.floor(at / (columns * rows * channels)));
      const plane = (batch * channels + (Math.floor(at / (columns * rows)) % channels)) * height * width;
      const [top, bottom] = bin(y1 * scale, y2 * scale, rows, row, height);
      const [left, right] = bin(x1 * scale, x2 * scale, columns, column, width);
      let best = Number.NEGATIVE_INFINITY;
      for (let v = top; v < bottom; v++)
        for (let h = left; h < right; h++) best = Math.max(best, values[plane + v * width + h]);
      y[at] = best === Number.NEGATIVE_INFINITY ? 0 : best;
    }
    return [fromNumbers(x.type, dims, y)];
  },
};

/** First element of a bin, and the first behind it, within the axis. */
function bin(from: number, to: number, bins: number, index: number, length: number): [number, number] {
  const start = roundHalfAway(from);
  const size = Math.max(roundHalfAway(to) - start + 1, 1) / bins;
  const clamp = (at: number): number => Math.min(Math.max(at, 0), length);
  return [clamp(start + Math.floor(index * size)), clamp(start + Math.ceil((index + 1) * size))];
}
