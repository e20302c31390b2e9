import { inputOf } from "#model/ops/known";
import { operand } from "#model/ops/operand";
import { stridesOf } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { int64, type Tensor } from "#model/tensor";

/**
 * The coordinates of the elements that are not zero, one per column. → [[1, 0], [1, 1]] gives [[0, 1, 1], [0, 0, 1]]
 */
export const NonZero: Op = {
  domain: "",
  name: "NonZero",
  infer: (context) => {
    const { shape, value } = inputOf(context, 0);
    return [{ element: "int64", shape: [shape?.length ?? null, value === undefined ? null : nonZero(value).length] }];
  },
  forward: (context) => {
    const x = operand(context, 0);
    const found = nonZero(x);
    const strides = stridesOf(x.dims);
    const coordinates = strides.flatMap((stride, axis) => found.map((i) => Math.floor(i / stride) % x.dims[axis]));
    return [int64([x.dims.length, found.length], coordinates)];
  },
};

function nonZero({ data }: Tensor): number[] {
  return [...data.keys()].filter((i) => Boolean(data[i]));
}
