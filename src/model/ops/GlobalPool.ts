/** The pools whose window is the whole plane. X [N, C, …] → [N, C, 1, …]. */
import { normOrder } from "#model/ops/LpPool";
import type { Node } from "#model/model";
import { countOf, operand } from "#model/ops/operand";
import type { Op } from "#model/ops/types";
import { fromNumbers, sizeOf, toNumbers } from "#model/tensor";

/** One plane → one number. */
type Reduce = (x: ArrayLike<number>, from: number, to: number) => number;

function globalPool(name: string, flopsPerElement: number, reduceOf: (node: Node) => Reduce): Op {
  return {
    domain: "",
    name,
    infer: ({ inputs: [x] }) => [{ element: x?.element, shape: x?.shape?.map((dim, axis) => (axis < 2 ? dim : 1)) }],
    cost: (_, [x]) => ({ macs: 0, flops: flopsPerElement * countOf(x) }),
    forward: (context) => {
      const x = operand(context, 0);
      const [batch, channels, ...spatial] = x.dims;
      const [values, size, reduce] = [toNumbers(x), sizeOf(spatial), reduceOf(context.node)];
      const y = Float64Array.from({ length: batch * channels }, (_, p) => reduce(values, p * size, (p + 1) * size));
      return [fromNumbers(x.type, [batch, channels, ...spatial.map(() => 1)], y)];
    },
  };
}

export const GlobalAveragePool = globalPool("GlobalAveragePool", 1, () => (x, from, to) => {
  let sum = 0;
  for (let i = from; i < to; i++) sum += x[i];
  return sum / (to - from);
});

export const GlobalMaxPool = globalPool("GlobalMaxPool", 1, () => (x, from, to) => {
  let best = Number.NEGATIVE_INFINITY;
  for (let i = from; i < to; i++) if (x[i] > best) best = x[i];
  return best;
});

export const GlobalLpPool = globalPool("GlobalLpPool", 2, (node) => {
  const p = normOrder(node);
  return (x, from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += Math.abs(x[i]) ** p;
    return sum ** (1 / p);
  };
});
