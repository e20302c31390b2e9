import { LowbitError } from "#base/errors";
import type { Dim } from "#model/model";
import { contentOf, inputOf, numbersOf, outputDims } from "#model/ops/known";
import { operand, placeOf } from "#model/ops/operand";
import { checkSize } from "#model/ops/strides";
import type { InferContext, Op } from "#model/ops/types";
import { fromNumbers, toNumbers } from "#model/tensor";

/** start, start + delta, … below limit. Inputs are scalars; floating point counts steps, it does not add them up. */
export const Range: Op = {
  domain: "",
  name: "Range",
  infer: (context) => [{ element: inputOf(context, 0).element, shape: [lengthOf(context)] }],
  forward: (context) => {
    const [start, delta] = [operand(context, 0), operand(context, 2)];
    const [[length]] = outputDims(Range.infer, context);
    checkSize(start.type, [length]);
    if (start.data instanceof BigInt64Array && delta.data instanceof BigInt64Array) {
      const [first, step] = [start.data[0], delta.data[0]];
      return [
        { type: start.type, dims: [length], data: BigInt64Array.from({ length }, (_, i) => first + BigInt(i) * step) },
      ];
    }
    const [[first], [step]] = [toNumbers(start), toNumbers(delta)];
    if (step === 0)
      throw new LowbitError("model/shape", "Range with steps of 0 never ends", { at: placeOf(context.node) });
    return [
      fromNumbers(
        start.type,
        [length],
        Float64Array.from({ length }, (_, i) => first + i * step),
      ),
    ];
  },
};

/** ⌈(limit − start) / delta⌉; from 0 in steps of 1 it is the limit itself, which may be a symbol. */
function lengthOf(context: InferContext): Dim {
  const [start, limit, delta] = [0, 1, 2].map((i) => numbersOf(context.inputs[i])?.[0]);
  if (start === undefined || delta === undefined || delta === 0) return null;
  if (limit !== undefined) return Math.max(0, Math.ceil((limit - start) / delta));
  return start === 0 && delta === 1 ? (contentOf(context.inputs[1])?.[0] ?? null) : null;
}
