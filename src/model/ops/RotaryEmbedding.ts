import { LowbitError } from "#base/errors";
import { intAttribute } from "#model/attributes";
import { countOf, operand, placeOf } from "#model/ops/operand";
import type { Op } from "#model/ops/types";
import { fromNumbers, toNumbers } from "#model/tensor";

/**
 * Rotary position embedding: pairs of features turn by an angle that grows with the position. Inputs X [N, heads,
 * length, size] or [N, length, heads·size], cosines and sines ([positions, half] with position ids [N, length], else
 * [N, length, half]). A pair is a feature and the one half the rotated size further on, or with `interleaved` its
 * neighbour; features beyond rotary_embedding_dim stay.
 */
export const RotaryEmbedding: Op = {
  domain: "",
  name: "RotaryEmbedding",
  infer: ({ inputs: [x] }) => [{ element: x?.element, shape: x?.shape }],
  cost: (_, [x]) => ({ macs: 0, flops: 3 * countOf(x) }),
  forward: (context) => {
    const { node } = context;
    const [x, cosines, sines] = [operand(context, 0), operand(context, 1), operand(context, 2)];
    const ids = context.inputs[3] && toNumbers(context.inputs[3]);
    const [values, cos, sin] = [x, cosines, sines].map(toNumbers);
    const flat = x.dims.length === 3;
    const heads = flat ? intAttribute(node, "num_heads", 0) : x.dims[1];
    const length = flat ? x.dims[1] : x.dims[2];
    const size = flat ? x.dims[2] / heads : x.dims[3];
    const half = (intAttribute(node, "rotary_embedding_dim", 0) || size) / 2;
    if (!Number.isInteger(half) || cosines.dims.at(-1) !== half)
      throw new LowbitError("model/shape", `heads of ${size} need angles for half of it, not ${cosines.dims.at(-1)}`, {
        at: placeOf(node),
      });
    const [near, far] = intAttribute(node, "interleaved", 0) === 0 ? [1, half] : [2, 1];
    const y = Float64Array.from(values);
    for (let from = 0, row = 0; from < y.length; from += size, row++) {
      // rows are (sample, position, head) if flat, else (sample, head, position)
      const sample = Math.floor(row / (heads * length));
      const token = sample * length + (flat ? Math.floor(row / heads) % length : row % length);
      const angles = (ids === undefined ? token : ids[token]) * half;
      for (let k = 0; k < half; k++) {
        const [a, b] = [from + k * near, from + k * near + far];
        y[a] = cos[angles + k] * values[a] - sin[angles + k] * values[b];
        y[b] = sin[angles + k] * values[a] + cos[angles + k] * values[b];
      }
    }
    return [fromNumbers(x.type, x.dims, y)];
  },
};
