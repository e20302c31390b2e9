import { floatAttribute, intAttribute, stringAttribute } from "#model/attributes";
import { countOf, operand } from "#model/ops/operand";
import { allocateChecked } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { fromNumbers, toNumbers } from "#model/tensor";

/**
 * Regions of interest, each sampled to the same size (Mask R-CNN). Inputs X [N, C, H, W], rois [R, 4] as (x1, y1, x2,
 * y2), batch indices [R] → [R, C, output_height, output_width]. Each output is the mean of a grid of samples in its
 * bin, sampled linearly; in mode "max" the greatest of the samples' four weighted neighbours, as ONNX's own tests and
 * ONNX Runtime have it. Version 10 knows no half pixel shift.
 */
export const RoiAlign: Op = {
  domain: "",
  name: "RoiAlign",
  infer: ({ node, inputs: [x, rois] }) => {
    const size = [intAttribute(node, "output_height", 1), intAttribute(node, "output_width", 1)];
    return [{ element: x?.element, shape: [rois?.shape?.[0] ?? null, x?.shape?.[1] ?? null, ...size] }];
  },
  cost: (node, _, [y]) => ({
    macs: 0,
    flops: 8 * countOf(y) * Math.max(intAttribute(node, "sampling_ratio", 0), 1) ** 2,
  }),
  forward: (context) => {
    const { node, opset } = context;
    const [x, rois, batches] = [operand(context, 0), toNumbers(operand(context, 1)), toNumbers(operand(context, 2))];
    const values = toNumbers(x);
    const [, channels, height, width] = x.dims;
    const [rows, columns] = [intAttribute(node, "output_height", 1), intAttribute(node, "output_width", 1)];
    const ratio = intAttribute(node, "sampling_ratio", 0);
    const scale = floatAttribute(node, "spatial_scale", 1);
    const mode = stringAttribute(
      node,
      "coordinate_transformation_mode",
      opset < 16 ? "output_half_pixel" : "half_pixel",
    );
    const [shift, smallest] = mode === "half_pixel" ? [0.5, 0] : [0, 1];
    const maximum = stringAttribute(node, "mode", "avg") === "max";
    const dims = [batches.length, channels, rows, columns];
    const y = allocateChecked("float64", dims) as Float64Array;
    for (let at = 0; at < y.length; at++) {
      const [column, row] = [at % columns, Math.floor(at / columns) % rows];
      const roi = Math.floor(at / (columns * rows * channels));
      const plane = (batches[roi] * channels + (Math.floor(at / (columns * rows)) % channels)) * height * width;
      const vertical = samples(
        rois[4 * roi + 1] * scale - shift,
        rois[4 * roi + 3] * scale - shift,
        smallest,
        rows,
        row,
        ratio,
      );
      const horizontal = samples(
        rois[4 * roi] * scale - shift,
        rois[4 * roi + 2] * scale - shift,
        smallest,
        columns,
        column,
        ratio,
      );
      let [sum, best] = [0, Number.NEGATIVE_INFINITY];
      for (const v of vertical) {
        for (const h of horizontal) {
          const shares = cornerShares(values, plane, height, width, v, h);
          sum += shares[0] + shares[1] + shares[2] + shares[3];
          best = Math.max(best, ...shares);
        }
      }
      y[at] = maximum ? best : sum / Math.max(vertical.length * horizontal.length, 1);
    }
    return [fromNumbers(x.type, dims, y)];
  },
};

/** The positions along one axis where bin `index` of `bins` is sampled. */
function samples(start: number, end: number, smallest: number, bins: number, index: number, ratio: number): number[] {
  const length = Math.max(end - start, smallest);
  const bin = length / bins;
  const count = ratio > 0 ? ratio : Math.ceil(length / bins);
  return Array.from({ length: count }, (_, i) => start + index * bin + ((i + 0.5) * bin) / count);
}

/**
 * The four weighted elements whose sum is the value between them: nothing more than one element outside, the border's
 * within.
 */
function cornerShares(
  x: ArrayLike<number>,
  plane: number,
  height: number,
  width: number,
  v: number,
  h: number,
): readonly number[] {
  if (v < -1 || v > height || h < -1 || h > width) return nothing;
  const [row, column] = [Math.min(Math.max(v, 0), height - 1), Math.min(Math.max(h, 0), width - 1)];
  const [top, left] = [Math.floor(row), Math.floor(column)];
  const [bottom, right] = [Math.min(top + 1, height - 1), Math.min(left + 1, width - 1)];
  const [down, across] = [row - top, column - left];
  return [
    x[plane + top * width + left] * (1 - down) * (1 - across),
    x[plane + top * width + right] * (1 - down) * across,
    x[plane + bottom * width + left] * down * (1 - across),
    x[plane + bottom * width + right] * down * across,
  ];
}

const nothing: readonly number[] = [0, 0, 0, 0];
