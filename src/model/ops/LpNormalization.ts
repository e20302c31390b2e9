import { intAttribute } from "#model/attributes";
import { axisAttribute } from "#model/ops/axes";
import { countOf, operand } from "#model/ops/operand";
import { stridesOf } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { fromNumbers, toNumbers } from "#model/tensor";

/** Divides by the L1 or L2 norm along one axis. Zeros, which have none, stay zeros. */
export const LpNormalization: Op = {
  domain: "",
  name: "LpNormalization",
  infer: ({ inputs: [x] }) => [{ element: x?.element, shape: x?.shape }],
  cost: (_, [x]) => ({ macs: 0, flops: 3 * countOf(x) }),
  forward: (context) => {
    const { node } = context;
    const x = operand(context, 0);
    const axis = axisAttribute(node, -1, x.dims.length);
    const [values, length, step] = [toNumbers(x), x.dims[axis], stridesOf(x.dims)[axis]];
    const p = intAttribute(node, "p", 2);
    const y = new Float64Array(values.length);
    for (let row = 0; row < values.length / length; row++) {
      const first = Math.floor(row / step) * step * length + (row % step);
      let sum = 0;
      for (let k = 0; k < length; k++) sum += Math.abs(values[first + k * step]) ** p;
      const norm = sum ** (1 / p);
      for (let k = 0; k < length; k++) y[first + k * step] = norm === 0 ? 0 : values[first + k * step] / norm;
    }
    return [fromNumbers(x.type, x.dims, y)];
  },
};
