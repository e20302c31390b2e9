/** Where the largest and the smallest element along an axis are, a comparison a line. */
import { intAttribute } from "#model/attributes";
import type { Dim } from "#model/model";
import { axisAttribute } from "#model/ops/axes";
import { elementsOf } from "#model/ops/elementwise";
import { inputOf, outputDims } from "#model/ops/known";
import { countOf, operand } from "#model/ops/operand";
import { offsetsOf, ramp, stridesOf } from "#model/ops/strides";
import type { Op } from "#model/ops/types";

/**
 * Index along `axis` of the best element: the first of equals, or the last with `select_last_index`. NaN beats
 * everything, as in NumPy.
 */
function arg(name: string, better: (a: number, b: number) => boolean): Op {
  const infer: Op["infer"] = (context) => {
    const { shape } = inputOf(context, 0);
    if (shape === undefined) return [{ element: "int64", shape: undefined }];
    const axis = axisAttribute(context.node, 0, shape.length);
    const keep = intAttribute(context.node, "keepdims", 1) !== 0;
    const reduced = shape.flatMap((dim, a): Dim[] => (a !== axis ? [dim] : keep ? [1] : []));
    return [{ element: "int64", shape: reduced }];
  };
  return {
    domain: "",
    name,
    infer,
    cost: (_, [x]) => ({ macs: 0, flops: countOf(x) }),
    forward: (context) => {
      const x = operand(context, 0);
      const [dims] = outputDims(infer, context);
      const axis = axisAttribute(context.node, 0, x.dims.length);
      const last = intAttribute(context.node, "select_last_index", 0) !== 0;
      const values = elementsOf(x) as ArrayLike<number>; // compared only, so bigint does as well
      const strides = stridesOf(x.dims);
      const rows = offsetsOf(x.dims.map((dim, a) => (a === axis ? [0] : ramp(dim, strides[a]))));
      const data = BigInt64Array.from(rows, (row) => {
        let best = 0;
        for (let k = 1; k < x.dims[axis]; k++) {
          const [a, b] = [values[row + k * strides[axis]], values[row + best * strides[axis]]];
          if (better(a, b) || (a !== a && b === b) || (last && a === b)) best = k;
        }
        return BigInt(best);
      });
      return [{ type: "int64", dims, data }];
    },
  };
}

export const argOps: readonly Op[] = [arg("ArgMax", (a, b) => a > b), arg("ArgMin", (a, b) => a < b)];
