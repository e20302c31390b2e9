/**
 * Softmax and its kin: a vector of scores becomes a vector of shares. Since operator set 13 the vector runs along
 * `axis` (default the last); before, it is everything from `axis` on (default 1).
 */
import { axisAttribute } from "#model/ops/axes";
import { countOf, operand } from "#model/ops/operand";
import type { ForwardContext, Op } from "#model/ops/types";
import { fromNumbers, sizeOf, type Tensor, toNumbers } from "#model/tensor";

/** Reads `length` scores from x[first], x[first + step] … and writes their shares to the same places of y. */
type Share = (x: ArrayLike<number>, y: Float64Array, first: number, length: number, step: number) => void;

function softmaxLike(name: string, flopsPerElement: number, share: Share): Op {
  return {
    domain: "",
    name,
    infer: ({ inputs: [x] }) => [{ element: x?.element, shape: x?.shape }],
    cost: (_, [x]) => ({ macs: 0, flops: flopsPerElement * countOf(x) }),
    forward: (context) => {
      const x = operand(context, 0);
      const values = toNumbers(x);
      const y = new Float64Array(values.length);
      forEachVector(context, x, (first, length, step) => share(values, y, first, length, step));
      return [fromNumbers(x.type, x.dims, y)];
    },
  };
}

/** Calls `visit` with the first element, length and step of each vector. */
export function forEachVector(
  { node, opset }: ForwardContext,
  { dims }: Tensor,
  visit: (first: number, length: number, step: number) => void,
): void {
  const axis = axisAttribute(node, opset >= 13 ? -1 : 1, Math.max(dims.length, 1));
  const outer = sizeOf(dims.slice(0, axis));
  const length = opset >= 13 ? (dims[axis] ?? 1) : sizeOf(dims.slice(axis));
  const inner = opset >= 13 ? sizeOf(dims.slice(axis + 1)) : 1;
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) visit(o * length * inner + i, length, inner);
}

/** The greatest score and the sum of e^(score − greatest): shifted so that no exponential overflows. */
function normalizer(
  x: ArrayLike<number>,
  first: number,
  length: number,
  step: number,
): { greatest: number; sum: number } {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < length; k++) greatest = Math.max(greatest, x[first + k * step]);
  let sum = 0;
  for (let k = 0; k < length; k++) sum += Math.exp(x[first + k * step] - greatest);
  return { greatest, sum };
}

/** yᵢ = e^xᵢ / Σ e^x */
export const softmax: Share = (x, y, first, length, step) => {
  const { greatest, sum } = normalizer(x, first, length, step);
  for (let k = 0, at = first; k < length; k++, at += step) y[at] = Math.exp(x[at] - greatest) / sum;
};

/** yᵢ = xᵢ − log Σ e^x */
export const logSoftmax: Share = (x, y, first, length, step) => {
  const { greatest, sum } = normalizer(x, first, length, step);
  const shift = greatest + Math.log(sum);
  for (let k = 0, at = first; k < length; k++, at += step) y[at] = x[at] - shift;
};

/** 1 at the first greatest score, 0 elsewhere. */
const hardmax: Share = (x, y, first, length, step) => {
  let best = first;
  for (let k = 1, at = first + step; k < length; k++, at += step) if (x[at] > x[best]) best = at;
  y[best] = 1;
};

// greatest, subtract, exponential, sum, divide
export const Softmax = softmaxLike("Softmax", 5, softmax);
export const LogSoftmax = softmaxLike("LogSoftmax", 5, logSoftmax);
export const Hardmax = softmaxLike("Hardmax", 1, hardmax);
