/**
 * Optimizers as nodes of the graph: from a weight, its gradient and a few states to the next weight and the next states. What
 * changes from step to step (learning rate, number of the step) is an input.
 */
import type { GradientWriter } from "#model/ops/gradient";

/** Inputs of a step that all weights share, as scalar values of the graph. */
export interface StepScalars {
  readonly learningRate: string;
  /** 1 in the first step. */
  readonly step: string;
}

export interface Updated {
  readonly weight: string;
  /** One per state, in the order of `states`. */
  readonly states: readonly string[];
}

/** `O`: its options, with defaults. */
export interface Optimizer<O> {
  readonly defaults: O;
  /** What it keeps for each weight, of the weight's shape and 0 at the start. */
  readonly states: (options: O) => readonly string[];
  readonly update: (
    write: GradientWriter,
    weight: string,
    gradient: string,
    states: readonly string[],
    scalars: StepScalars,
    options: O,
  ) => Updated;
}

export interface SgdOptions {
  /** Share of the last step's velocity that is kept. 0: none is kept. */
  readonly momentum: number;
  /** Looks ahead along the velocity (Nesterov 1983, in Sutskever et al. 2013). */
  readonly nesterov: boolean;
  /** Times the weight, added to its gradient. */
  readonly weightDecay: number;
}

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Decay apart from the gradient (AdamW, Loshchilov & Hutter 2019); false: added to it, as in Adam with L2. */
  readonly decoupled: boolean;
}

/** v ← μ·v + g;  w ← w − η·v  (Polyak 1964; PyTorch's form, in which η does not enter the velocity). */
const sgd: Optimizer<SgdOptions> = {
  defaults: { momentum: 0.9, nesterov: false, weightDecay: 0 },
  states: ({ momentum }) => (momentum === 0 ? [] : ["velocity"]),
  update(w, weight, gradient, [velocity], { learningRate }, { momentum, nesterov, weightDecay }) {
    const g = weightDecay === 0 ? gradient : w.node("Add", [gradient, times(w, weight, weightDecay)]);
    const minus = (direction: string): string => w.node("Sub", [weight, w.node("Mul", [direction, learningRate])]);
    if (velocity === undefined) return { weight: minus(g), states: [] };
    const next = w.node("Add", [times(w, velocity, momentum), g]);
    const direction = nesterov ? w.node("Add", [g, times(w, next, momentum)]) : next;
    return { weight: minus(direction), states: [next] };
  },
};

/**
 * m ← β₁·m + (1 − β₁)·g;  v ← β₂·v + (1 − β₂)·g²;  w ← w − η·(m/(1 − β₁ᵗ)) / (√(v/(1 − β₂ᵗ)) + ε)   (Kingma & Ba 2015, algorithm 1)
 */
const adam: Optimizer<AdamOptions> = {
  defaults: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: true },
  states: () => ["mean", "square"],
  update(w, weight, gradient, [mean, square], { learningRate, step }, options) {
    const { beta1, beta2, epsilon, weightDecay, decoupled } = options;
    const coupled = weightDecay !== 0 && !decoupled;
    const g = coupled ? w.node("Add", [gradient, times(w, weight, weightDecay)]) : gradient;
    const m = w.node("Add", [times(w, mean, beta1), times(w, g, 1 - beta1)]);
    const v = w.node("Add", [times(w, square, beta2), times(w, w.node("Mul", [g, g]), 1 - beta2)]);
    const unbiased = (x: string, beta: number): string =>
      w.node("Div", [x, w.node("Sub", [w.scalar(1), w.node("Pow", [w.scalar(beta), step])])]);
    const scale = w.node("Add", [w.node("Sqrt", [unbiased(v, beta2)]), w.scalar(epsilon)]);
    const direction = w.node("Div", [unbiased(m, beta1), scale]);
    const whole =
      weightDecay !== 0 && decoupled ? w.node("Add", [direction, times(w, weight, weightDecay)]) : direction;
    return { weight: w.node("Sub", [weight, w.node("Mul", [whole, learningRate])]), states: [m, v] };
  },
};

function times(w: GradientWriter, x: string, factor: number): string {
  return w.node("Mul", [x, w.scalar(factor)]);
}

export const optimizers = { sgd, adam } as const;

export type OptimizerName = keyof typeof optimizers;
