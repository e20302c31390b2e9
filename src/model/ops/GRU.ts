import { intAttribute } from "#model/attributes";
import { mapNumbers } from "#model/ops/mapNumbers";
import { type Cell, dot, recurrenceCost, recurrenceShapes, runCell } from "#model/ops/recurrence";
import type { Op } from "#model/ops/types";

/**
 * Gated recurrent unit. Inputs X, W [d, 3·hidden, inputs], R [d, 3·hidden, hidden], bias [d, 6·hidden], sequence
 * lengths, first h; gates in the order z, r, h. Outputs Y, last h.
 *
 * z = f(W_z x + R_z h + b) · r alike · h̃ = g(W_h x + R_h (r·h) + b), or with linear_before_reset g(W_h x + b_w +
 * r·(R_h h + b_r)) · h ← (1 − z)·h̃ + z·h.
 */
export const GRU: Op = {
  domain: "",
  name: "GRU",
  infer: ({ node, inputs: [x, , r] }) => recurrenceShapes(node, gruCell, x, r?.shape?.[2] ?? null),
  cost: (node, [x, w, r]) => recurrenceCost(node, gruCell, x, w, r),
  forward: (context) => runCell(context, gruCell),
};

const gruCell: Cell = {
  gates: 3,
  activations: ["Sigmoid", "Tanh"],
  cell: false,
  stepOf: ({ node, hidden, r, rBias, activations: [gate, candidate] }) => {
    const linearFirst = intAttribute(node, "linear_before_reset", 0) !== 0;
    return (input, h, _, seen) => {
      const recurrent = (row: number, state: ArrayLike<number>): number => dot(r, row * hidden, state, 0, hidden);
      const update = new Float64Array(hidden);
      const reset = new Float64Array(hidden);
      for (let u = 0; u < hidden; u++) {
        update[u] = gate(input[u] + recurrent(u, seen) + rBias[u]);
        reset[u] = gate(input[hidden + u] + recurrent(hidden + u, seen) + rBias[hidden + u]);
      }
      const before = mapNumbers(h, (value, u) => (linearFirst ? value : reset[u] * value));
      for (let u = 0; u < hidden; u++) {
        const row = 2 * hidden + u;
        const memory = recurrent(row, before) + rBias[row];
        const fresh = candidate(input[row] + (linearFirst ? reset[u] * memory : memory));
        h[u] = (1 - update[u]) * fresh + update[u] * h[u];
      }
    };
  },
};
