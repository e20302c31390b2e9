import { LowbitError } from "#base/errors";
import { intsAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { addDims, multiplyDims } from "#model/ops/dims";
import { contentOf, outputDims, unknownDims } from "#model/ops/known";
import { operand, placeOf } from "#model/ops/operand";
import { allocateChecked } from "#model/ops/strides";
import type { InferContext, Known, Op } from "#model/ops/types";
import { spatial } from "#model/ops/window";
import { fromNumbers, toNumbers } from "#model/tensor";

/**
 * Puts each element back where MaxPool found it; everything else is 0. Inputs X, flat indices into the output, optional
 * output shape; without it the smallest that MaxPool's attributes lead back to.
 */
export const MaxUnpool: Op = {
  domain: "",
  name: "MaxUnpool",
  infer,
  forward: (context) => {
    const [x, indices] = [toNumbers(operand(context, 0)), toNumbers(operand(context, 1))];
    const [dims] = outputDims(infer, context);
    const y = allocateChecked("float64", dims) as Float64Array;
    for (let i = 0; i < x.length; i++) {
      if (!(indices[i] >= 0 && indices[i] < y.length))
        throw new LowbitError("model/shape", `index ${indices[i]} is outside an output of ${y.length} elements`, {
          at: placeOf(context.node),
        });
      y[indices[i]] = x[i];
    }
    return [fromNumbers(operand(context, 0).type, dims, y)];
  },
};

function infer({ node, inputs: [x, , wanted] }: InferContext): Known[] {
  const element = x?.element;
  if (wanted !== undefined) {
    const rank = x?.shape?.length;
    return [{ element, shape: contentOf(wanted) ?? (rank === undefined ? undefined : unknownDims(rank)) }];
  }
  return [{ element, shape: x?.shape && smallest(node, x.shape) }];
}

function smallest(node: Node, [batch, channels, ...input]: readonly Dim[]): readonly Dim[] {
  const rank = input.length;
  const kernel = spatial(node, "kernel_shape", rank, 1);
  const strides = spatial(node, "strides", rank, 1);
  const pads = intsAttribute(node, "pads") ?? kernel.flatMap(() => [0, 0]);
  const output = input.map((size, axis) =>
    addDims(multiplyDims(addDims(size, -1), strides[axis]), kernel[axis] - pads[axis] - pads[axis + rank]),
  );
  return [batch, channels, ...output];
}
