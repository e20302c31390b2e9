/** The activation functions that recurrent operators know by name, with their parameters. */
import { LowbitError } from "#base/errors";
import { floatsAttribute, stringsAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { placeOf } from "#model/ops/operand";

export type Activation = (x: number) => number;

interface Kind {
  /** Defaults of the parameters it has. */
  readonly alpha?: number;
  readonly beta?: number;
  readonly make: (alpha: number, beta: number) => Activation;
}

export const sigmoid: Activation = (x) => 1 / (1 + Math.exp(-x));

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["relu", { make: () => (x) => Math.max(0, x) }],
  ["tanh", { make: () => Math.tanh }],
  ["sigmoid", { make: () => sigmoid }],
  ["affine", { alpha: 1, beta: 0, make: (alpha, beta) => (x) => alpha * x + beta }],
  ["leakyrelu", { alpha: 0.01, make: (alpha) => (x) => (x >= 0 ? x : alpha * x) }],
  ["thresholdedrelu", { alpha: 1, make: (alpha) => (x) => (x >= alpha ? x : 0) }],
  ["scaledtanh", { alpha: 1, beta: 1, make: (alpha, beta) => (x) => alpha * Math.tanh(beta * x) }],
  ["hardsigmoid", { alpha: 0.2, beta: 0.5, make: (alpha, beta) => (x) => Math.min(Math.max(alpha * x + beta, 0), 1) }],
  ["elu", { alpha: 1, make: (alpha) => (x) => (x >= 0 ? x : alpha * Math.expm1(x)) }],
  ["softsign", { make: () => (x) => x / (1 + Math.abs(x)) }],
  ["softplus", { make: () => (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) }],
]);

/**
 * The functions that a recurrent node names, `perDirection` for each direction. activation_alpha and activation_beta
 * are handed out in order, to the functions that have such a parameter.
 */
export function activationsOf(node: Node, defaults: readonly string[], directions: number): Activation[][] {
  const names = stringsAttribute(node, "activations") ?? [];
  const alphas = [...(floatsAttribute(node, "activation_alpha") ?? [])];
  const betas = [...(floatsAttribute(node, "activation_beta") ?? [])];
  return Array.from({ length: directions }, (_, direction) =>
    defaults.map((fallback, i) => {
      const name = names[direction * defaults.length + i] ?? fallback;
      const kind = kinds.get(name.toLowerCase());
      if (kind === undefined)
        throw new LowbitError("model/attribute", `${node.op} knows no activation ${name}`, { at: placeOf(node) });
      const alpha = kind.alpha === undefined ? 0 : (alphas.shift() ?? kind.alpha);
      const beta = kind.beta === undefined ? 0 : (betas.shift() ?? kind.beta);
      return kind.make(alpha, beta);
    }),
  );
}
