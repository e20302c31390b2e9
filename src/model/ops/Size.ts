import { productOfDims } from "#model/ops/dims";
import { inputOf, withContent } from "#model/ops/known";
import { operand } from "#model/ops/operand";
import type { Op } from "#model/ops/types";
import { int64, sizeOf } from "#model/tensor";

/** The number of elements, as an int64 scalar. */
export const Size: Op = {
  domain: "",
  name: "Size",
  infer: (context) => {
    const { shape } = inputOf(context, 0);
    return [withContent({ element: "int64", shape: [] }, shape && [productOfDims(shape)])];
  },
  forward: (context) => [int64([], [sizeOf(operand(context, 0).dims)])],
};
