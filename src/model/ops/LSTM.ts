import { intAttribute } from "#model/attributes";
import { type Cell, dot, recurrenceCost, recurrenceShapes, runCell } from "#model/ops/recurrence";
import type { Op } from "#model/ops/types";

/**
 * Long short-term memory. Inputs X, W [d, 4·hidden, inputs], R [d, 4·hidden, hidden], bias [d, 8·hidden], sequence
 * lengths, first h, first c, peepholes P [d, 3·hidden]; gates in the order i, o, f, c, peepholes i, o, f. Outputs Y,
 * last h, last c.
 *
 * i = f(Wᵢx + Rᵢh + Pᵢc + b) · o and f alike, o with the new c · c ← f·c + i·g(W_c x + R_c h + b) · h ← o·h(c).
 */
export const LSTM: Op = {
  domain: "",
  name: "LSTM",
  infer: ({ node, inputs: [x, , r] }) => recurrenceShapes(node, lstmCell, x, r?.shape?.[2] ?? null),
  cost: (node, [x, w, r]) => recurrenceCost(node, lstmCell, x, w, r),
  forward: (context) => runCell(context, lstmCell),
};

export const lstmCell: Cell = {
  gates: 4,
  activations: ["Sigmoid", "Tanh", "Tanh"],
  cell: true,
  stepOf: ({ node, hidden, r, rBias, p, activations: [gate, candidate, output] }) => {
    const coupled = intAttribute(node, "input_forget", 0) !== 0;
    const [outputAt, forgetAt, cellAt] = [hidden, 2 * hidden, 3 * hidden];
    return (input, h, c, seen) => {
      const at = (row: number): number => input[row] + dot(r, row * hidden, seen, 0, hidden) + rBias[row];
      const next = new Float64Array(hidden);
      for (let u = 0; u < hidden; u++) {
        const entering = gate(at(u) + (p === undefined ? 0 : p[u] * c[u]));
        const kept = coupled ? 1 - entering : gate(at(forgetAt + u) + (p === undefined ? 0 : p[forgetAt + u] * c[u]));
        c[u] = kept * c[u] + entering * candidate(at(cellAt + u));
        const shown = gate(at(outputAt + u) + (p === undefined ? 0 : p[outputAt + u] * c[u]));
        next[u] = shown * output(c[u]);
      }
      h.set(next);
    };
  },
};
