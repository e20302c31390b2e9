import { LowbitError } from "#base/errors";
import { roundHalfEven } from "#math/round";
import { intAttribute, stringAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { type Beyond, border, interpolator, reflectCentres, reflectEdges, zeros } from "#model/ops/interpolation";
import { countOf, dimsOf, operand, placeOf } from "#model/ops/operand";
import { cubic, type Filter, triangle } from "#model/ops/resampling";
import { allocateChecked } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { fromNumbers, sizeOf, toNumbers } from "#model/tensor";

/**
 * Reads X [N, C, …] at the positions of a grid [N, …, axes]: coordinates from −1 to 1, last axis first; −1 and 1 are
 * the centres of the corner elements with align_corners, else their outer edges. → [N, C, …grid]
 */
export const GridSample: Op = {
  domain: "",
  name: "GridSample",
  infer: ({ inputs: [x, grid] }) => {
    const known = x?.shape !== undefined && grid?.shape !== undefined;
    return [{ element: x?.element, shape: known ? [x.shape[0], x.shape[1], ...grid.shape.slice(1, -1)] : undefined }];
  },
  cost: (node, [x], [y]) => {
    const taps = { nearest: 0, cubic: 4, bicubic: 4 }[stringAttribute(node, "mode", "linear")] ?? 2;
    return { macs: 0, flops: 2 * countOf(y) * taps ** (dimsOf(x).length - 2) };
  },
  forward: (context) => {
    const { node } = context;
    const [x, gridInput] = [operand(context, 0), operand(context, 1)];
    const [batch, channels, ...spatial] = x.dims;
    const [gridBatch, ...rest] = gridInput.dims;
    const rank = spatial.length;
    if (gridBatch !== batch || rest.at(-1) !== rank)
      throw new LowbitError("model/shape", `GridSample of [${x.dims.join(", ")}] at [${gridInput.dims.join(", ")}]`, {
        at: placeOf(node),
      });
    const [values, grid] = [toNumbers(x), toNumbers(gridInput)];
    const { filter, nearest } = filterOf(node);
    const aligned = intAttribute(node, "align_corners", 0) !== 0;
    const visitAround = interpolator(spatial, filter, beyondOf(node, aligned));
    const target = rest.slice(0, -1);
    const [plane, points] = [sizeOf(spatial), sizeOf(target)];
    const y = allocateChecked("float64", [batch, channels, ...target]) as Float64Array;
    const position = new Float64Array(rank);
    for (let n = 0; n < batch; n++) {
      for (let p = 0; p < points; p++) {
        for (let axis = 0; axis < rank; axis++) {
          const coordinate = grid[(n * points + p) * rank + (rank - 1 - axis)];
          const length = spatial[axis];
          const at = aligned ? ((coordinate + 1) / 2) * (length - 1) : ((coordinate + 1) * length - 1) / 2;
          position[axis] = nearest ? roundHalfEven(at) : at;
        }
        visitAround(position, (offset, weight) => {
          for (let c = n * channels; c < (n + 1) * channels; c++)
            y[c * points + p] += weight * values[c * plane + offset];
        });
      }
    }
    return [fromNumbers(x.type, [batch, channels, ...target], y)];
  },
};

function filterOf(node: Node): { filter: Filter; nearest: boolean } {
  const mode = stringAttribute(node, "mode", "linear");
  if (mode === "linear" || mode === "bilinear") return { filter: triangle, nearest: false };
  if (mode === "cubic" || mode === "bicubic") return { filter: cubic(-0.75), nearest: false };
  // at a rounded position the triangle weighs nothing but the element itself
  if (mode === "nearest") return { filter: triangle, nearest: true };
  throw new LowbitError("model/attribute", `GridSample knows no mode ${mode}`, { at: placeOf(node) });
}

function beyondOf(node: Node, aligned: boolean): Beyond {
  const mode = stringAttribute(node, "padding_mode", "zeros");
  if (mode === "zeros") return zeros;
  if (mode === "border") return border;
  if (mode === "reflection") return aligned ? reflectCentres : reflectEdges;
  throw new LowbitError("model/attribute", `GridSample knows no padding_mode ${mode}`, { at: placeOf(node) });
}
