import { LowbitError } from "#base/errors";
import { alignment } from "#model/ops/Einsum";
import type { GradientContext, GradientRule } from "#model/ops/gradient";
import { mul, reshaped } from "#model/ops/gradients/arithmetic";
import { placeOf } from "#model/ops/operand";

/**
 * The gradient of an operand is again a sum over letters: dy times all others, with the operand's own letters as the result.
 *
 *   y = einsum("bij,bjk->bik", a, b): da = einsum("bik,bjk->bij", dy, b)
 *
 * Letters that the operand alone has were summed away: their elements all get the same.
 */
export const einsumGradient: GradientRule = (context) => {
  const { node, wanted, write: w } = context;
  const [dy] = context.gradients;
  if (dy === undefined) return [];
  const shapes = node.inputs.map((name) => w.shapeOf(name));
  const { terms, result, sizes } = alignment(node, shapes);
  const letters = lettersFor([...sizes.keys()]);
  const written = (labels: readonly string[]): string => labels.map((label) => letters.get(label)).join("");
  return node.inputs.map((_, i) => {
    if (!wanted[i]) return undefined;
    const own = terms[i];
    if (new Set(own).size < own.length) throw diagonal(context);
    const others = terms.map((labels, k) => ({ labels, value: node.inputs[k] })).filter((__, k) => k !== i);
    const factors = result.length === 0 ? others : [{ labels: result, value: dy }, ...others];
    const seen = new Set(factors.flatMap(({ labels }) => labels));
    // where the operand has size 1 and others more, it was repeated
    const kept = own.filter((label, axis) => seen.has(label) && (shapes[i][axis] !== 1 || sizes.get(label) === 1));
    const equation = `${factors.map(({ labels }) => written(labels)).join(",")}->${written(kept)}`;
    const values = factors.map(({ value }) => value);
    const product = factors.length === 0 ? dy : w.node("Einsum", values, { equation });
    const scaled = result.length === 0 && factors.length > 0 ? mul(w, product, dy) : product;
    const found = w.shapeOf(scaled);
    const whole = reshaped(
      w,
      scaled,
      own.map((label) => (kept.includes(label) ? found[kept.indexOf(label)] : 1)),
    );
    return w.shapeOf(whole).join() === shapes[i].join() ? whole : w.node("Expand", [whole, w.integers(shapes[i])]);
  });
};

/** A letter for each label: its own, or for the axes of an ellipsis ("0", "1" …) one that is free. */
function lettersFor(labels: readonly string[]): ReadonlyMap<string, string> {
  const isLetter = (label: string): boolean => /[a-zA-Z]/.test(label);
  const free = "abcdefghijklmnopqrstuvwxyz".split("").filter((letter) => !labels.includes(letter));
  return new Map(labels.map((label) => [label, isLetter(label) ? label : (free.pop() ?? label)]));
}

function diagonal({ node }: GradientContext): LowbitError {
  return new LowbitError("model/unsupported-operator", "no gradient is known of Einsum along a diagonal", {
    at: placeOf(node),
    hint: "write it as a product with the identity matrix",
  });
}
