/** Losses that compare numbers with numbers. */
import { LowbitError } from "#base/errors";
import { axisOf } from "#grad/losses/crossEntropy";
import { isProbability, logarithm, logitsOf } from "#grad/losses/logits";
import type {
  Distillation,
  FeatureMatching,
  LossContext,
  LossRole,
  LossRule,
  MeanSquaredError,
  WeightedSum,
} from "#grad/losses/types";
import type { GradientWriter } from "#model/ops/gradient";
import { sizeOf } from "#model/tensor";

export const meanSquaredError: LossRule<MeanSquaredError> = (loss, context) => {
  const { write: w } = context;
  const of = context.valueOf(loss.of);
  const difference = w.node("Sub", [of, counterpart(context, "targets", of)]);
  return mean(w, w.node("Mul", [difference, difference]));
};

export const distillation: LossRule<Distillation> = (loss, context) => {
  const { write: w } = context;
  const of = context.valueOf(loss.of);
  const shape = w.shapeOf(of);
  const axis = axisOf(of, shape.length, loss.axis);
  const temperature = loss.temperature ?? 4;
  if (!(temperature > 0))
    throw new LowbitError("usage/argument", `the temperature of a distillation is above 0, not ${temperature}`);
  const given = counterpart(context, "teacher", of);
  const softened = (logits: string): string =>
    w.node("LogSoftmax", [w.node("Div", [logits, w.scalar(temperature)])], { axis });
  const student = softened(logitsOf(context, of, axis));
  const teacher = softened(isProbability(context, of) ? logarithm(context, given) : given);
  const divergence = w.node("Mul", [w.node("Exp", [teacher]), w.node("Sub", [teacher, student])]);
  const vectors = sizeOf(shape) / Math.max(1, shape[axis]);
  return w.node("Mul", [w.sumTo(divergence, []), w.scalar(temperature ** 2 / Math.max(1, vectors))]);
};

/** Keeps a teacher's value that is all zeros from dividing by 0. */
const tiny = 1e-12;

export const featureMatching: LossRule<FeatureMatching> = ({ values }, context) => {
  const { write: w } = context;
  if (values.length === 0) throw new LowbitError("usage/argument", "a loss of features names at least one value");
  const relative = values.map((name) => {
    const of = context.valueOf(name);
    const teacher = counterpart(context, "teacher", of);
    const difference = w.node("Sub", [of, teacher]);
    const power = w.node("Add", [mean(w, w.node("Mul", [teacher, teacher])), w.scalar(tiny)]);
    return w.node("Div", [mean(w, w.node("Mul", [difference, difference])), power]);
  });
  return w.node("Mean", relative);
};

export const weightedSum: LossRule<WeightedSum> = ({ terms }, { write: w, append }) => {
  if (terms.length === 0) throw new LowbitError("usage/argument", "a sum of losses has at least one term");
  return w.node(
    "Sum",
    terms.map(({ weight, loss }) => w.node("Mul", [append(loss), w.scalar(weight)])),
  );
};

/** An input of a value's type and shape. */
function counterpart({ write: w, input }: LossContext, role: LossRole, of: string): string {
  return input(role, of, w.typeOf(of), w.shapeOf(of));
}

function mean(w: GradientWriter, x: string): string {
  return w.node("Div", [w.sumTo(x, []), w.scalar(Math.max(1, sizeOf(w.shapeOf(x))))]);
}
