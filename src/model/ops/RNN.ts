import { type Cell, dot, recurrenceCost, recurrenceShapes, runCell } from "#model/ops/recurrence";
import type { Op } from "#model/ops/types";

/**
 * The plain recurrent network: h ← f(Wx + Rh + b). Inputs X, W [d, hidden, inputs], R [d, hidden, hidden], bias [d,
 * 2·hidden], sequence lengths, first h. Outputs Y, last h.
 */
export const RNN: Op = {
  domain: "",
  name: "RNN",
  infer: ({ node, inputs: [x, , r] }) => recurrenceShapes(node, rnnCell, x, r?.shape?.[2] ?? null),
  cost: (node, [x, w, r]) => recurrenceCost(node, rnnCell, x, w, r),
  forward: (context) => runCell(context, rnnCell),
};

const rnnCell: Cell = {
  gates: 1,
  activations: ["Tanh"],
  cell: false,
  stepOf:
    ({ hidden, r, rBias, activations: [f] }) =>
    (input, h, _, seen) => {
      h.set(input.map((value, u) => f(value + dot(r, u * hidden, seen, 0, hidden) + rBias[u])));
    },
};
