import { intAttribute } from "#model/attributes";
import { countOf, operand } from "#model/ops/operand";
import type { ForwardContext, Op } from "#model/ops/types";
import { int64, toNumbers } from "#model/tensor";

/**
 * Keeps the best of boxes that overlap: of each class of each sample, boxes in order of score, without those whose
 * intersection over union with a kept box exceeds the threshold. Inputs boxes [N, B, 4], scores [N, classes, B],
 * optional maximum per class, IoU threshold, score threshold → int64 [kept, 3] of (sample, class, box).
 */
export const NonMaxSuppression: Op = {
  domain: "",
  name: "NonMaxSuppression",
  infer: () => [{ element: "int64", shape: [null, 3] }],
  // one comparison with the threshold each; how many boxes are then compared with others depends on their places
  cost: (_, [, scores]) => ({ macs: 0, flops: countOf(scores) }),
  forward: (context) => {
    const [boxes, scores] = [toNumbers(operand(context, 0)), toNumbers(operand(context, 1))];
    const [batch, classes, count] = operand(context, 1).dims;
    const corners = cornersOf(boxes, intAttribute(context.node, "center_point_box", 0) !== 0);
    const most = optional(context, 2) ?? 0;
    const overlap = optional(context, 3) ?? 0;
    const least = optional(context, 4) ?? Number.NEGATIVE_INFINITY;
    const kept: number[] = [];
    for (let n = 0; n < batch; n++) {
      for (let c = 0; c < classes; c++) {
        const first = (n * classes + c) * count;
        const order = Array.from({ length: count }, (_, i) => i)
          .filter((i) => scores[first + i] > least)
          .sort((a, b) => scores[first + b] - scores[first + a] || a - b);
        const chosen: number[] = [];
        for (const box of order) {
          if (chosen.length >= most) break;
          if (chosen.every((other) => overlapOf(corners, n * count + box, n * count + other) <= overlap))
            chosen.push(box);
        }
        for (const box of chosen) kept.push(n, c, box);
      }
    }
    return [int64([kept.length / 3, 3], kept)];
  },
};

function optional(context: ForwardContext, index: number): number | undefined {
  const input = context.inputs[index];
  return input === undefined ? undefined : toNumbers(input)[0];
}

/** Boxes as (top, left, bottom, right), from any two opposite corners or from (x centre, y centre, width, height). */
function cornersOf(boxes: ArrayLike<number>, centred: boolean): Float64Array {
  const corners = new Float64Array(boxes.length);
  for (let i = 0; i < boxes.length; i += 4) {
    const [a, b, c, d] = [boxes[i], boxes[i + 1], boxes[i + 2], boxes[i + 3]];
    if (centred) corners.set([b - d / 2, a - c / 2, b + d / 2, a + c / 2], i);
    else corners.set([Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)], i);
  }
  return corners;
}

/** Intersection over union of two boxes; 0 where one has no area. */
function overlapOf(corners: Float64Array, a: number, b: number): number {
  const [p, q] = [4 * a, 4 * b];
  const height = Math.min(corners[p + 2], corners[q + 2]) - Math.max(corners[p], corners[q]);
  const width = Math.min(corners[p + 3], corners[q + 3]) - Math.max(corners[p + 1], corners[q + 1]);
  if (height <= 0 || width <= 0) return 0;
  const area = (at: number): number => (corners[at + 2] - corners[at]) * (corners[at + 3] - corners[at + 1]);
  return (height * width) / (area(p) + area(q) - height * width);
}
