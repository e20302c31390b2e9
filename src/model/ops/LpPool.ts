import { floatAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { sumWindows } from "#model/ops/AveragePool";
import { mapNumbers } from "#model/ops/mapNumbers";
import { operand } from "#model/ops/operand";
import { poolingCost, poolingOf, poolingShape } from "#model/ops/pooling";
import type { Op } from "#model/ops/types";
import { fromNumbers, toNumbers } from "#model/tensor";

/** The Lp norm under each window: (Σ |x|ᵖ)^(1/p). */
export const LpPool: Op = {
  domain: "",
  name: "LpPool",
  infer: ({ node, inputs: [x] }) => [{ element: x?.element, shape: poolingShape(node, x) }],
  cost: (node, _, [y]) => poolingCost(node, y, 2, 1),
  forward: (context) => {
    const { node } = context;
    const x = operand(context, 0);
    const p = normOrder(node);
    const pooling = poolingOf(node, x.dims);
    const powers = mapNumbers(toNumbers(x), (value) => Math.abs(value) ** p);
    const norms = sumWindows(pooling, powers).map((sum) => sum ** (1 / p));
    return [fromNumbers(x.type, pooling.dims, norms)];
  },
};

/** Attribute p: an integer, in version 1 a float. */
export function normOrder(node: Node): number {
  const p = node.attributes.get("p");
  return p?.kind === "int" ? Number(p.value) : floatAttribute(node, "p", 2);
}
