/** Gradients of activations with parameters: f′(x)·dy, f′ a formula of the node's attributes. At a corner the rule says which side counts. */
import { floatAttribute, stringAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import type { GradientRule, GradientWriter } from "#model/ops/gradient";
import { add, div, mul, square, sub, zeroUnless } from "#model/ops/gradients/arithmetic";
import { throughFirst } from "#model/ops/gradients/throughFirst";

/** f′, from x and y = f(x). */
type Slope = (w: GradientWriter, x: string, y: string, node: Node) => string;

const rule = (slope: Slope): GradientRule =>
  throughFirst((dy, { node, write: w }) => mul(w, dy, slope(w, node.inputs[0], node.outputs[0], node)));

/** The same of x + bias, whose bias has the gradient's sum. */
const biased =
  (slope: Slope): GradientRule =>
  (context) => {
    const { node, wanted, write: w } = context;
    const [dy] = context.gradients;
    if (dy === undefined) return [];
    const [x, bias = ""] = node.inputs;
    const dx = mul(w, dy, slope(w, bias === "" ? x : add(w, x, bias), node.outputs[0], node));
    return [dx, wanted[1] ? w.sumTo(dx, w.shapeOf(bias)) : undefined];
  };

const choose = (w: GradientWriter, condition: string, a: string, b: string): string =>
  w.node("Where", [condition, a, b]);
const negative = (w: GradientWriter, x: string): string => w.node("Less", [x, w.scalar(0)]);

/** Φ(x) + x·φ(x) */
const gelu: Slope = (w, x) => {
  const bell = w.node("Exp", [mul(w, square(w, x), w.scalar(-0.5))]);
  const density = mul(w, bell, w.scalar(1 / Math.sqrt(2 * Math.PI)));
  const erf = w.node("Erf", [mul(w, x, w.scalar(Math.SQRT1_2))]);
  const share = mul(w, add(w, erf, w.scalar(1)), w.scalar(0.5));
  return add(w, share, mul(w, x, density));
};

/** With t = tanh(ax + bx³): (1 + t)/2 + x·(1 − t²)·(a + 3bx²)/2 */
const geluTanh =
  (a: number, b: number): Slope =>
  (w, x) => {
    const squared = square(w, x);
    const inner = mul(w, x, add(w, mul(w, squared, w.scalar(b)), w.scalar(a)));
    const t = w.node("Tanh", [inner]);
    const steep = add(w, mul(w, squared, w.scalar(3 * b)), w.scalar(a));
    const rest = mul(w, mul(w, x, sub(w, w.scalar(1), square(w, t))), steep);
    return mul(w, add(w, add(w, t, w.scalar(1)), rest), w.scalar(0.5));
  };

const a = Math.sqrt(2 / Math.PI);
const approximateGelu = geluTanh(a, a * 0.044715);

/** x·σ(αx): s + α·y·(1 − s), s = σ(αx) */
const swish =
  (fallback: number): Slope =>
  (w, x, y, node) => {
    const alpha = w.scalar(floatAttribute(node, "alpha", fallback));
    const s = w.node("Sigmoid", [mul(w, x, alpha)]);
    return add(w, s, mul(w, mul(w, alpha, y), sub(w, w.scalar(1), s)));
  };

const selu = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 };

export const parametricGradients: Readonly<Record<string, GradientRule>> = {
  LeakyRelu: rule((w, x, _, node) =>
    choose(w, negative(w, x), w.scalar(floatAttribute(node, "alpha", 0.01)), w.scalar(1)),
  ),
  /** αeˣ = y + α below 0 */
  Elu: rule((w, x, y, node) =>
    choose(w, negative(w, x), add(w, y, w.scalar(floatAttribute(node, "alpha", 1))), w.scalar(1)),
  ),
  /** γαeˣ = y + γα up to 0 */
  Selu: rule((w, x, y, node) => {
    const gamma = floatAttribute(node, "gamma", selu.gamma);
    const below = add(w, y, w.scalar(gamma * floatAttribute(node, "alpha", selu.alpha)));
    return choose(w, w.node("Greater", [x, w.scalar(0)]), w.scalar(gamma), below);
  }),
  /** e^(x/α) = y/α + 1 below 0 */
  Celu: rule((w, x, y, node) => {
    const below = add(w, div(w, y, w.scalar(floatAttribute(node, "alpha", 1))), w.scalar(1));
    return choose(w, negative(w, x), below, w.scalar(1));
  }),
  /** 0 at the threshold. */
  ThresholdedRelu: throughFirst((dy, { node, write: w }) =>
    zeroUnless(w, w.node("Greater", [node.inputs[0], w.scalar(floatAttribute(node, "alpha", 1))]), dy),
  ),
  /** α between the corners, 0 on them. */
  HardSigmoid: rule((w, _, y, node) => {
    const above = w.node("Greater", [y, w.scalar(0)]);
    const inside = w.node("And", [above, w.node("Less", [y, w.scalar(1)])]);
    return zeroUnless(w, inside, w.scalar(floatAttribute(node, "alpha", 0.2)));
  }),
  /** 1 outside [−λ, λ]. */
  Shrink: throughFirst((dy, { node, write: w }) => {
    const far = w.node("Greater", [w.node("Abs", [node.inputs[0]]), w.scalar(floatAttribute(node, "lambd", 0.5))]);
    return zeroUnless(w, far, dy);
  }),
  Swish: rule(swish(1)),
  Gelu: rule((...of) => (stringAttribute(of[3], "approximate", "none") === "tanh" ? approximateGelu : gelu)(...of)),
  "com.microsoft:Gelu": rule(gelu),
  "com.microsoft:BiasGelu": biased(gelu),
  "com.microsoft:FastGelu": biased(geluTanh(0.7978845608028654, 0.035677408136300125)),
  "com.microsoft:QuickGelu": rule(swish(1.702)),
};
