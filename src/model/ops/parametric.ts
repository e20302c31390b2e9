/** Activations of one element with parameters, a formula a line: the node's attributes, then the function they make. */
import { erf } from "#math/erf";
import { floatAttribute, stringAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { sigmoid } from "#model/ops/recurrentActivations";
import { mapElements } from "#model/ops/elementwise";
import { operand } from "#model/ops/operand";
import type { Op } from "#model/ops/types";
import { unary } from "#model/ops/unary";

function parametric(name: string, formulaOf: (node: Node) => (x: number) => number): Op {
  const forward: Op["forward"] = (context) => {
    return [mapElements(context.node, operand(context, 0), { float: formulaOf(context.node) })];
  };
  return { ...unary(name, {}), forward };
}

const alpha = (node: Node, fallback: number): number => floatAttribute(node, "alpha", fallback);
const gelu = (x: number): number => 0.5 * x * (1 + erf(x * Math.SQRT1_2));
const geluTanh = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

export const parametricOps: readonly Op[] = [
  parametric("LeakyRelu", (node) => {
    const slope = alpha(node, 0.01);
    return (x) => (x < 0 ? slope * x : x);
  }),
  parametric("Elu", (node) => {
    const a = alpha(node, 1);
    return (x) => (x < 0 ? a * Math.expm1(x) : x);
  }),
  parametric("Selu", (node) => {
    const a = alpha(node, 1.6732632423543772);
    const gamma = floatAttribute(node, "gamma", 1.0507009873554805);
    return (x) => gamma * (x > 0 ? x : a * Math.expm1(x));
  }),
  parametric("Celu", (node) => {
    const a = alpha(node, 1);
    return (x) => Math.max(0, x) + Math.min(0, a * Math.expm1(x / a));
  }),
  parametric("ThresholdedRelu", (node) => {
    const threshold = alpha(node, 1);
    return (x) => (x > threshold ? x : 0);
  }),
  parametric("HardSigmoid", (node) => {
    const [a, b] = [alpha(node, 0.2), floatAttribute(node, "beta", 0.5)];
    return (x) => Math.max(0, Math.min(1, a * x + b));
  }),
  parametric("Swish", (node) => {
    const a = alpha(node, 1);
    return (x) => x * sigmoid(a * x);
  }),
  parametric("Gelu", (node) => (stringAttribute(node, "approximate", "none") === "tanh" ? geluTanh : gelu)),
  parametric("Shrink", (node) => {
    const [bias, lambda] = [floatAttribute(node, "bias", 0), floatAttribute(node, "lambd", 0.5)];
    return (x) => (x < -lambda ? x + bias : x > lambda ? x - bias : 0);
  }),
];
