/** Gradients of functions of one element: dL/dx = f′(x)·dL/dy. Where f has a corner, the rule says which side counts. */
import type { GradientRule, GradientWriter } from "#model/ops/gradient";
import { add, div, mul, square, sub, zeroUnless } from "#model/ops/gradients/arithmetic";

/** f′ times dy, written from x and y = f(x). */
type Derivative = (dy: string, x: string, y: string, write: GradientWriter) => string;

function rule(derivative: Derivative): GradientRule {
  return ({ node, gradients: [dy], write }) => [
    dy === undefined ? undefined : derivative(dy, node.inputs[0], node.outputs[0], write),
  ];
}

export const unaryGradients: Readonly<Record<string, GradientRule>> = {
  Identity: rule((dy) => dy),
  Neg: rule((dy, _, __, w) => w.node("Neg", [dy])),
  /** 0 at 0. */
  Abs: rule((dy, x, _, w) => mul(w, dy, w.node("Sign", [x]))),
  Sqrt: rule((dy, _, y, w) => w.node("Div", [mul(w, dy, w.scalar(0.5)), y])),
  Exp: rule((dy, _, y, w) => mul(w, dy, y)),
  Log: rule((dy, x, _, w) => w.node("Div", [dy, x])),
  Reciprocal: rule((dy, _, y, w) => w.node("Neg", [mul(w, dy, square(w, y))])),
  /** 2/√π·exp(−x²) */
  Erf: rule((dy, x, _, w) => {
    const bell = w.node("Exp", [w.node("Neg", [square(w, x)])]);
    return mul(w, dy, mul(w, bell, w.scalar(1.1283791670955126)));
  }),
  Sin: rule((dy, x, _, w) => mul(w, dy, w.node("Cos", [x]))),
  Cos: rule((dy, x, _, w) => w.node("Neg", [mul(w, dy, w.node("Sin", [x]))])),
  Tan: rule((dy, _, y, w) => mul(w, dy, add(w, square(w, y), w.scalar(1)))),
  Asin: rule((dy, x, _, w) => div(w, dy, w.node("Sqrt", [sub(w, w.scalar(1), square(w, x))]))),
  Acos: rule((dy, x, _, w) => w.node("Neg", [div(w, dy, w.node("Sqrt", [sub(w, w.scalar(1), square(w, x))]))])),
  Atan: rule((dy, x, _, w) => div(w, dy, add(w, square(w, x), w.scalar(1)))),
  Sinh: rule((dy, x, _, w) => mul(w, dy, w.node("Cosh", [x]))),
  Cosh: rule((dy, x, _, w) => mul(w, dy, w.node("Sinh", [x]))),
  Asinh: rule((dy, x, _, w) => div(w, dy, w.node("Sqrt", [add(w, square(w, x), w.scalar(1))]))),
  Acosh: rule((dy, x, _, w) => div(w, dy, w.node("Sqrt", [sub(w, square(w, x), w.scalar(1))]))),
  Atanh: rule((dy, x, _, w) => div(w, dy, sub(w, w.scalar(1), square(w, x)))),
  Tanh: rule((dy, _, y, w) => mul(w, dy, w.node("Sub", [w.scalar(1), square(w, y)]))),
  Sigmoid: rule((dy, _, y, w) => mul(w, dy, mul(w, y, w.node("Sub", [w.scalar(1), y])))),
  /** 0 at 0, as PyTorch. */
  Relu: rule((dy, _, y, w) => zeroUnless(w, w.node("Greater", [y, w.scalar(0)]), dy)),
  Softplus: rule((dy, x, _, w) => mul(w, dy, w.node("Sigmoid", [x]))),
  /** 1/(1 + |x|)² */
  Softsign: rule((dy, x, _, w) => w.node("Div", [dy, square(w, w.node("Add", [w.node("Abs", [x]), w.scalar(1)]))])),
  /** x/3 + 1/2 between −3 and 3; 0 and 1 outside. */
  HardSwish: rule((dy, x, _, w) => {
    const inside = w.node("Add", [w.node("Div", [x, w.scalar(3)]), w.scalar(0.5)]);
    const above = w.node("Where", [w.node("GreaterOrEqual", [x, w.scalar(3)]), w.scalar(1), inside]);
    return mul(w, dy, w.node("Where", [w.node("LessOrEqual", [x, w.scalar(-3)]), w.scalar(0), above]));
  }),
  /** tanh(s) + x·(1 − tanh²(s))·σ(x), s = softplus(x) */
  Mish: rule((dy, x, _, w) => {
    const t = w.node("Tanh", [w.node("Softplus", [x])]);
    const slope = mul(w, w.node("Sub", [w.scalar(1), square(w, t)]), w.node("Sigmoid", [x]));
    return mul(w, dy, w.node("Add", [t, mul(w, x, slope)]));
  }),
};

/** Steps: their slope is 0 wherever they have one. A fake quantizer that wants the straight-through estimator says so itself. */
for (const name of ["Sign", "Floor", "Ceil", "Round"]) Object.assign(unaryGradients, { [name]: () => [undefined] });
