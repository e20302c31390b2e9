/** Gaussian error linear units: x·Φ(x), exactly or by a tanh, of an input that a bias may be added to. */
import { erf } from "#math/erf";
import { floatAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { mapNumbers } from "#model/ops/mapNumbers";
import { countOf, operand } from "#model/ops/operand";
import { sigmoid } from "#model/ops/recurrentActivations";
import type { Op } from "#model/ops/types";
import { fromNumbers, toNumbers } from "#model/tensor";

function gelu(name: string, flopsPerElement: number, formula: (node: Node) => (x: number) => number): Op {
  return {
    domain: "com.microsoft",
    name,
    infer: ({ inputs: [x] }) => [{ element: x?.element, shape: x?.shape }],
    cost: (_, [x, bias]) => ({ macs: 0, flops: (flopsPerElement + (bias === undefined ? 0 : 1)) * countOf(x) }),
    forward: (context) => {
      const x = operand(context, 0);
      const bias = context.inputs[1] && toNumbers(context.inputs[1]);
      const f = formula(context.node);
      const shift = (value: number, i: number): number => (bias === undefined ? value : value + bias[i % bias.length]);
      return [
        fromNumbers(
          x.type,
          x.dims,
          mapNumbers(toNumbers(x), (value, i) => f(shift(value, i))),
        ),
      ];
    },
  };
}

const exact = (x: number): number => 0.5 * x * (1 + erf(x * Math.SQRT1_2));

export const MicrosoftGelu = gelu("Gelu", 4, () => exact);
export const BiasGelu = gelu("BiasGelu", 4, () => exact);
export const FastGelu = gelu(
  "FastGelu",
  8,
  () => (x) => 0.5 * x * (1 + Math.tanh(0.7978845608028654 * x + 0.035677408136300125 * x ** 3)),
);
export const QuickGelu = gelu("QuickGelu", 4, (node) => {
  const alpha = floatAttribute(node, "alpha", 1.702);
  return (x) => x * sigmoid(alpha * x);
});
