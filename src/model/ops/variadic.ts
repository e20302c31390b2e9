/**
 * Max, Min, Sum and Mean of any number of tensors, which broadcast together (before operator set 8 they had equal
 * shapes).
 */
import { LowbitError } from "#base/errors";
import { broadcastDims, broadcastShapes } from "#model/ops/broadcast";
import { elementsOf, type Formula, numbersIn, undefinedFor } from "#model/ops/elementwise";
import { isInteger } from "#model/ops/known";
import { countOf, placeOf, requireOneType } from "#model/ops/operand";
import { allocateChecked, broadcastOffsets } from "#model/ops/strides";
import type { ForwardContext, Op } from "#model/ops/types";
import { fromNumbers, type Tensor } from "#model/tensor";

/** Folds the inputs pairwise, in float64; `finish` turns the last sum into the result. */
function variadic(
  name: string,
  formula: Formula<"two">,
  finish: (sum: number, count: number) => number = (x) => x,
): Op {
  return {
    domain: "",
    name,
    infer: ({ inputs }) => [
      {
        element: inputs.find((input) => input?.element !== undefined)?.element,
        shape: broadcastDims(...inputs.map((input) => input?.shape)),
      },
    ],
    cost: (_, inputs, [y]) => ({ macs: 0, flops: countOf(y) * Math.max(1, inputs.length - 1) }),
    forward: (context) => [fold(context, formula, finish)],
  };
}

function fold(
  context: ForwardContext,
  formula: Formula<"two">,
  finish: (sum: number, count: number) => number,
): Tensor {
  const { node } = context;
  const inputs = context.inputs.filter((input) => input !== undefined);
  if (inputs.length === 0)
    throw new LowbitError("model/missing-tensor", `${node.op} has no inputs`, { at: placeOf(node) });
  requireOneType(node, ...inputs);
  const [{ type }] = inputs;
  const dims = broadcastShapes(...inputs.map((input) => input.dims));
  const out = allocateChecked(type, dims);
  if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    const f = formula.bigint ?? undefinedFor(node, type);
    for (const [k, x] of inputs.entries()) {
      const [values, offsets] = [elementsOf(x) as ArrayLike<bigint>, broadcastOffsets(x.dims, dims)];
      for (let i = 0; i < out.length; i++) {
        const value = values[offsets?.[i] ?? i];
        out[i] = k === 0 ? value : f(out[i], value);
      }
    }
    return { type, dims, data: out };
  }
  const f = (isInteger(type) ? formula.integer : formula.float) ?? undefinedFor(node, type);
  const sums = new Float64Array(out.length);
  for (const [k, x] of inputs.entries()) {
    const [values, offsets] = [numbersIn(node, x), broadcastOffsets(x.dims, dims)];
    for (let i = 0; i < sums.length; i++) {
      const value = values[offsets?.[i] ?? i];
      sums[i] = k === 0 ? value : f(sums[i], value);
    }
  }
  return fromNumbers(
    type,
    dims,
    sums.map((sum) => finish(sum, inputs.length)),
  );
}

const add = (a: number, b: number): number => a + b;

export const variadicOps: readonly Op[] = [
  variadic("Max", { float: Math.max, integer: Math.max, bigint: (a, b) => (a > b ? a : b) }),
  variadic("Min", { float: Math.min, integer: Math.min, bigint: (a, b) => (a < b ? a : b) }),
  variadic("Sum", { float: add }),
  variadic("Mean", { float: add }, (sum, count) => sum / count),
];
