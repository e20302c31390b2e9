import { LowbitError } from "#base/errors";
import { inputOf } from "#model/ops/known";
import { operand, placeOf } from "#model/ops/operand";
import type { Op } from "#model/ops/types";
import { type ElementType, fromNumbers, toNumbers } from "#model/tensor";

/**
 * In inference, the input and a mask of ones. Training mode needs randomness, which is not an operator's to make:
 * refused.
 */
export const Dropout: Op = {
  domain: "",
  name: "Dropout",
  infer: (context) => {
    const { element, shape, content, value } = inputOf(context, 0);
    return [
      { element, shape, content, value },
      { element: maskType(context.opset, element), shape },
    ];
  },
  forward: (context) => {
    const { node, opset } = context;
    const x = operand(context, 0);
    const [, ratio, training] = context.inputs;
    const drops = ratio === undefined || toNumbers(ratio)[0] !== 0;
    if (training !== undefined && training.data[0] !== 0 && drops)
      throw new LowbitError("model/unsupported-operator", "Dropout in training mode is random", { at: placeOf(node) });
    const ones = new Float64Array(x.data.length).fill(1);
    return [x, fromNumbers(maskType(opset, x.type) ?? "bool", x.dims, ones)];
  },
};

/** Before operator set 10 the mask had the input's type. */
function maskType(opset: number, input: ElementType | undefined): ElementType | undefined {
  return opset < 10 ? input : "bool";
}
