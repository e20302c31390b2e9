import { intAttribute } from "#model/attributes";
import type { Dim } from "#model/model";
import { contentOf, unknownDims } from "#model/ops/known";
import { countOf, operand } from "#model/ops/operand";
import { allocateChecked, stridesOf } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { fromNumbers, sizeOf, toNumbers } from "#model/tensor";

/**
 * A grid for GridSample: evenly spaced positions from −1 to 1, each moved by a sample's affine matrix. Inputs theta [N,
 * r, r + 1] and size [N, C, …] → [N, …, r], coordinates with the last axis first.
 */
export const AffineGrid: Op = {
  domain: "",
  name: "AffineGrid",
  infer: ({ inputs: [theta, size] }) => {
    const content = contentOf(size);
    const rank = theta?.shape?.[1];
    const known = content !== undefined && content.length > 2;
    const shape: readonly Dim[] | undefined = known
      ? [content[0], ...content.slice(2), content.length - 2]
      : rank === 2 || rank === 3
        ? [theta?.shape?.[0] ?? null, ...unknownDims(rank), rank]
        : undefined;
    return [{ element: theta?.element, shape }];
  },
  cost: (_, [theta], [y]) => ({ macs: 0, flops: 2 * countOf(y) * (Number(theta?.shape?.at(-1)) - 1) }),
  forward: (context) => {
    const thetaInput = operand(context, 0);
    const [theta, [batch, , ...spatial]] = [toNumbers(thetaInput), toNumbers(operand(context, 1))];
    const rank = spatial.length;
    const aligned = intAttribute(context.node, "align_corners", 0) !== 0;
    const along = spatial.map((length) =>
      Float64Array.from({ length }, (_, i) => (aligned ? (2 * i) / (length - 1) - 1 : (2 * i + 1) / length - 1)),
    );
    const dims = [batch, ...spatial, rank];
    const grid = allocateChecked("float64", dims) as Float64Array;
    const [strides, points] = [stridesOf(spatial), sizeOf(spatial)];
    for (let at = 0; at < batch * points * rank; at++) {
      const point = Math.floor(at / rank) % points;
      const row = (Math.floor(at / (points * rank)) * rank + (at % rank)) * (rank + 1);
      let sum = theta[row + rank];
      for (let a = 0; a < rank; a++) {
        const axis = rank - 1 - a;
        sum += theta[row + a] * along[axis][Math.floor(point / strides[axis]) % spatial[axis]];
      }
      grid[at] = sum;
    }
    return [fromNumbers(thetaInput.type, dims, grid)];
  },
};
