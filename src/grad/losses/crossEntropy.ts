import { LowbitError } from "#base/errors";
import { logitsOf } from "#grad/losses/logits";
import type { CrossEntropy, LossContext, LossRule, NextToken } from "#grad/losses/types";
import { elementTypes, int64, sizeOf } from "#model/tensor";

export const crossEntropy: LossRule<CrossEntropy> = (loss, context) => {
  const { write } = context;
  const of = context.valueOf(loss.of);
  const shape = write.shapeOf(of);
  const axis = axisOf(of, shape.length, loss.axis);
  const labels = context.input(
    "labels",
    of,
    "int64",
    shape.filter((_, a) => a !== axis),
  );
  return negativeLogLikelihood(context, logitsOf(context, of, axis), labels, axis, loss.ignore);
};

export const nextToken: LossRule<NextToken> = (loss, context) => {
  const { write: w } = context;
  const of = context.valueOf(loss.of);
  const tokens = context.valueOf(loss.tokens);
  const [batch, length, vocabulary] = w.shapeOf(of);
  if (vocabulary === undefined || w.shapeOf(tokens).join() !== `${batch},${length}` || length < 2)
    throw new LowbitError(
      "model/shape",
      `${of} [${w.shapeOf(of).join(", ")}] is no prediction of what follows ${tokens} [${w.shapeOf(tokens).join(", ")}]`,
      { at: { tensor: of }, hint: "logits are [batch, length, vocabulary], tokens [batch, length] of two or more" },
    );
  const piece = (value: string, from: number, to: number): string =>
    w.node("Slice", [value, w.integers([from]), w.integers([to]), w.integers([1])]);
  const following = w.node("Cast", [piece(tokens, 1, length)], { to: elementTypes.int64.code });
  const logits = piece(logitsOf(context, of, 2), 0, length - 1);
  return negativeLogLikelihood(context, logits, following, 2, loss.ignore);
};

/** Of each label −log softmax(logits) there, averaged over those that count. LogSoftmax and not the logarithm of Softmax: no share is 0. */
function negativeLogLikelihood(
  { write: w }: LossContext,
  logits: string,
  labels: string,
  axis: number,
  ignore: number | undefined,
): string {
  const shares = w.node("LogSoftmax", [logits], { axis });
  const axes = w.integers([axis]);
  const ignored = ignore === undefined ? "" : w.node("Equal", [labels, w.tensor(int64([], [ignore]))]);
  const places = ignored === "" ? labels : w.node("Where", [ignored, w.tensor(int64([], [0])), labels]);
  const picked = w.node("GatherElements", [shares, w.node("Unsqueeze", [places, axes])], { axis });
  const costs = w.node("Neg", [w.node("Squeeze", [picked, axes])]);
  if (ignored === "") return w.node("Div", [w.sumTo(costs, []), w.scalar(Math.max(1, sizeOf(w.shapeOf(costs))))]);
  const counts = w.node("Where", [ignored, w.scalar(0), w.scalar(1)]);
  const count = w.node("Max", [w.sumTo(counts, []), w.scalar(1)]); // a batch in which nothing counts costs 0
  return w.node("Div", [w.sumTo(w.node("Mul", [costs, counts]), []), count]);
}

/** Default: the last. */
export function axisOf(value: string, rank: number, axis = -1): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (normal >= 0 && normal < rank) return normal;
  throw new LowbitError("model/shape", `${value} has ${rank} axes: classes cannot run along axis ${axis}`, {
    at: { tensor: value },
  });
}
