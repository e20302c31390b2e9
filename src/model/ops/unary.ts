/** Functions of one element, a formula a line. Those with parameters are in `parametric.ts`. */
import { erf } from "#math/erf";
import { roundHalfEven } from "#math/round";
import { intAttribute } from "#model/attributes";
import { sigmoid } from "#model/ops/recurrentActivations";
import { type Formula, mapElements, numbersIn } from "#model/ops/elementwise";
import { inputOf } from "#model/ops/known";
import { countOf, operand } from "#model/ops/operand";
import type { Op } from "#model/ops/types";
import type { Tensor } from "#model/tensor";

/** An operator whose output has its input's type and shape. One operation per element. */
export function unary(name: string, formula: Formula<"one">): Op {
  return {
    domain: "",
    name,
    infer: (context) => [{ element: inputOf(context, 0).element, shape: inputOf(context, 0).shape }],
    cost: (_, __, [y]) => ({ macs: 0, flops: countOf(y) }),
    forward: (context) => [mapElements(context.node, operand(context, 0), formula)],
  };
}

/** An operator that answers a question about each element. One operation per element. */
function question(name: string, ask: (node: Parameters<NonNullable<Op["cost"]>>[0]) => (x: number) => boolean): Op {
  return {
    domain: "",
    name,
    infer: (context) => [{ element: "bool", shape: inputOf(context, 0).shape }],
    cost: (_, __, [y]) => ({ macs: 0, flops: countOf(y) }),
    forward: (context) => {
      const x = operand(context, 0);
      const holds = ask(context.node);
      const answers: Tensor = {
        type: "bool",
        dims: x.dims,
        data: Uint8Array.from(numbersIn(context.node, x), (value) => (holds(value) ? 1 : 0)),
      };
      return [answers];
    },
  };
}

/** ln(1 + eˣ) without overflow. */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const magnitude = (x: bigint): bigint => (x < 0n ? -x : x);
const sign = (x: bigint): bigint => (x > 0n ? 1n : x < 0n ? -1n : 0n);

export const unaryOps: readonly Op[] = [
  unary("Abs", { float: Math.abs, integer: Math.abs, bigint: magnitude }),
  unary("Neg", { float: (x) => -x, integer: (x) => -x, bigint: (x) => -x }),
  unary("Sign", { float: Math.sign, integer: Math.sign, bigint: sign }),
  unary("Ceil", { float: Math.ceil }),
  unary("Floor", { float: Math.floor }),
  unary("Round", { float: roundHalfEven }),
  unary("Sqrt", { float: Math.sqrt }),
  unary("Exp", { float: Math.exp }),
  unary("Log", { float: Math.log }),
  unary("Reciprocal", { float: (x) => 1 / x }),
  unary("Erf", { float: erf, integer: erf }),
  unary("Sin", { float: Math.sin }),
  unary("Cos", { float: Math.cos }),
  unary("Tan", { float: Math.tan }),
  unary("Asin", { float: Math.asin }),
  unary("Acos", { float: Math.acos }),
  unary("Atan", { float: Math.atan }),
  unary("Sinh", { float: Math.sinh }),
  unary("Cosh", { float: Math.cosh }),
  unary("Tanh", { float: Math.tanh }),
  unary("Asinh", { float: Math.asinh }),
  unary("Acosh", { float: Math.acosh }),
  unary("Atanh", { float: Math.atanh }),
  unary("Relu", { float: (x) => Math.max(x, 0), integer: (x) => Math.max(x, 0), bigint: (x) => (x > 0n ? x : 0n) }),
  unary("Sigmoid", { float: sigmoid }),
  unary("Softplus", { float: softplus }),
  unary("Softsign", { float: (x) => x / (1 + Math.abs(x)) }),
  unary("Mish", { float: (x) => x * Math.tanh(softplus(x)) }),
  unary("HardSwish", { float: (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)) }),
  unary("Not", { integer: (x) => (x === 0 ? 1 : 0) }),
  unary("BitwiseNot", { integer: (x) => ~x, bigint: (x) => ~x }),
  question("IsNaN", () => Number.isNaN),
  question("IsInf", (node) => {
    const positive = intAttribute(node, "detect_positive", 1) !== 0;
    const negative = intAttribute(node, "detect_negative", 1) !== 0;
    return (x) => (positive && x === Number.POSITIVE_INFINITY) || (negative && x === Number.NEGATIVE_INFINITY);
  }),
];
