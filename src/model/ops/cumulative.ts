/** Running sums and products along an axis, a formula a line. */
import { LowbitError } from "#base/errors";
import { intAttribute } from "#model/attributes";
import { normalizeAxis } from "#model/ops/axes";
import type { Formula } from "#model/ops/elementwise";
import { inputOf, integersOf, isInteger, knownTensor } from "#model/ops/known";
import { countOf, operand, placeOf } from "#model/ops/operand";
import { allocateChecked, stridesOf } from "#model/ops/strides";
import type { ForwardContext, Op } from "#model/ops/types";
import { fromNumbers, type Tensor, toNumbers } from "#model/tensor";

/** One operation per element. `exclusive`: without the element itself; `reverse`: from the end. */
function cumulative(name: string, start: number, formula: Required<Formula<"two">>): Op {
  return {
    domain: "",
    name,
    infer: (context) => [{ element: inputOf(context, 0).element, shape: inputOf(context, 0).shape }],
    cost: (_, __, [y]) => ({ macs: 0, flops: countOf(y) }),
    forward: (context) => {
      const x = operand(context, 0);
      const { data, dims, type } = x;
      const order = stepsOf(context);
      if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
        const out = allocateChecked(type, dims) as BigInt64Array;
        scan(order, data, out, BigInt(start), formula.bigint);
        return [{ type, dims, data: out }];
      }
      const sums = new Float64Array(data.length);
      scan(order, toNumbers(x), sums, start, isInteger(type) ? formula.integer : formula.float);
      return [fromNumbers(type, dims, sums)];
    },
  };
}

interface Steps {
  readonly size: number;
  readonly stride: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

function stepsOf(context: ForwardContext): Steps {
  const { node } = context;
  const x: Tensor = operand(context, 0);
  const given = integersOf(knownTensor(operand(context, 1)))?.[0];
  if (given === undefined) throw new LowbitError("model/shape", `${node.op} needs an axis`, { at: placeOf(node) });
  const axis = normalizeAxis(node, given, x.dims.length);
  const exclusive = intAttribute(node, "exclusive", 0) !== 0;
  const reverse = intAttribute(node, "reverse", 0) !== 0;
  return { size: x.dims[axis], stride: stridesOf(x.dims)[axis], exclusive, reverse };
}

function scan<T>(steps: Steps, x: ArrayLike<T>, out: { [i: number]: T }, start: T, f: (a: T, b: T) => T): void {
  const { size, stride, exclusive, reverse } = steps;
  for (let base = 0; base < x.length; base++) {
    if (Math.floor(base / stride) % size !== 0) continue; // not the first element of its row
    let sum = start;
    for (let k = 0; k < size; k++) {
      const i = base + (reverse ? size - 1 - k : k) * stride;
      const next = f(sum, x[i]);
      out[i] = exclusive ? sum : next;
      sum = next;
    }
  }
}

// integers wrap at every step, or a long product would leave the exact range of a double
export const cumulativeOps: readonly Op[] = [
  cumulative("CumSum", 0, { float: (a, b) => a + b, integer: (a, b) => (a + b) | 0, bigint: (a, b) => a + b }),
  cumulative("CumProd", 1, { float: (a, b) => a * b, integer: Math.imul, bigint: (a, b) => a * b }),
];
