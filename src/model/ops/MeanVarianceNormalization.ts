import { intsAttribute } from "#model/attributes";
import { normalizeAxes } from "#model/ops/axes";
import { moments } from "#model/ops/moments";
import { countOf, operand } from "#model/ops/operand";
import { offsetsOf, ramp, stridesOf } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { fromNumbers, toNumbers } from "#model/tensor";

/**
 * y = (x − mean)/(standard deviation + 10⁻⁹), over `axes`: by default all but the channel's. The 10⁻⁹ is the
 * specification's.
 */
export const MeanVarianceNormalization: Op = {
  domain: "",
  name: "MeanVarianceNormalization",
  infer: ({ inputs: [x] }) => [{ element: x?.element, shape: x?.shape }],
  cost: (_, [x]) => ({ macs: 0, flops: 5 * countOf(x) }),
  forward: (context) => {
    const { node } = context;
    const x = operand(context, 0);
    const { dims } = x;
    const over = new Set(normalizeAxes(node, intsAttribute(node, "axes") ?? [0, 2, 3], dims.length));
    const strides = stridesOf(dims);
    const along = dims.map((dim, axis) => ramp(dim, strides[axis]));
    const starts = offsetsOf(along.filter((_, axis) => !over.has(axis)));
    const members = offsetsOf(along.filter((_, axis) => over.has(axis)));
    const values = toNumbers(x);
    const y = new Float64Array(values.length);
    for (const start of starts) {
      const set = Float64Array.from(members, (offset) => values[start + offset]);
      const { mean, variance } = moments(set, 0, set.length);
      const deviation = Math.sqrt(variance) + 1e-9;
      for (let i = 0; i < set.length; i++) y[start + members[i]] = (set[i] - mean) / deviation;
    }
    return [fromNumbers(x.type, dims, y)];
  },
};
