import { intAttribute } from "#model/attributes";
import type { Dim } from "#model/model";
import { axisAttribute } from "#model/ops/axes";
import { elementsOf } from "#model/ops/elementwise";
import { inputOf, integersOf, outputDims } from "#model/ops/known";
import { countOf, operand } from "#model/ops/operand";
import { offsetsOf, ramp, stridesOf, take } from "#model/ops/strides";
import type { InferContext, Known, Op } from "#model/ops/types";
import type { Tensor } from "#model/tensor";

/**
 * The k largest (or smallest) elements along `axis`, in order, and their indices; of equal elements the first comes
 * first. k is an attribute before operator set 10 and an input since. Cost: one comparison per element and bit of the
 * axis, as a heap needs.
 */
export const TopK: Op = {
  domain: "",
  name: "TopK",
  infer: (context) => {
    const x = inputOf(context, 0);
    const shape = x.shape?.map((dim, axis): Dim => (axis === axisOf(context, x) ? countGiven(context) : dim));
    return [
      { element: x.element, shape },
      { element: "int64", shape },
    ];
  },
  cost: (node, [x], [y]) => {
    const axis = axisAttribute(node, -1, y.shape?.length ?? 1);
    return { macs: 0, flops: countOf(x) * Math.ceil(Math.log2(1 + Number(y.shape?.[axis] ?? 1))) };
  },
  forward: (context) => {
    const { node } = context;
    const x = operand(context, 0);
    const [dims] = outputDims(TopK.infer, context);
    const axis = axisAttribute(node, -1, dims.length);
    const best = bestOf(x, axis, dims[axis], intAttribute(node, "largest", 1) !== 0);
    const strides = stridesOf(x.dims);
    const rows = offsetsOf(dims.map((dim, a) => ramp(dim, a === axis ? 0 : strides[a])));
    const places = offsetsOf(dims.map((dim, a) => ramp(dim, a === axis ? 1 : 0)));
    const indices = rows.map((row, i) => best(row)[places[i]]);
    const offsets = rows.map((row, i) => row + indices[i] * strides[axis]);
    return [take(x, dims, offsets), { type: "int64", dims, data: BigInt64Array.from(indices, BigInt) }];
  },
};

function axisOf({ node }: InferContext, x: Known): number {
  return axisAttribute(node, -1, x.shape?.length ?? 1);
}

function countGiven({ node, inputs }: InferContext): Dim {
  return node.attributes.has("k") ? intAttribute(node, "k", 0) : (integersOf(inputs[1])?.[0] ?? null);
}

/** Row start → indices along the axis of its best elements, in order. Rows are sorted once each. */
function bestOf(x: Tensor, axis: number, count: number, largest: boolean): (row: number) => readonly number[] {
  const values = elementsOf(x) as ArrayLike<number>; // compared only, so bigint and string do as well
  const stride = stridesOf(x.dims)[axis];
  const sorted = new Map<number, readonly number[]>();
  return (row) => {
    let best = sorted.get(row);
    if (best === undefined) {
      const compare = (i: number, j: number): number => {
        const [a, b] = [values[row + i * stride], values[row + j * stride]];
        return a === b ? i - j : a < b === largest ? 1 : -1;
      };
      best = ramp(x.dims[axis], 1).sort(compare).slice(0, count);
      sorted.set(row, best);
    }
    return best;
  };
}
