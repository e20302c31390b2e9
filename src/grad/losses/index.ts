/** The registry of losses. */
import { crossEntropy, nextToken } from "#grad/losses/crossEntropy";
import { distillation, featureMatching, meanSquaredError, weightedSum } from "#grad/losses/differences";
import type { Loss, LossContext, LossRule } from "#grad/losses/types";

export const losses: { readonly [K in Loss["kind"]]: LossRule<Extract<Loss, { kind: K }>> } = {
  "cross-entropy": crossEntropy,
  "next-token": nextToken,
  mse: meanSquaredError,
  distillation,
  features: featureMatching,
  sum: weightedSum,
};

/** Writes the loss; returns the name of its value. */
export function writeLoss(loss: Loss, context: LossContext): string {
  const rule = losses[loss.kind] as LossRule<Loss>; // the registry has for each kind its own rule
  return rule(loss, context);
}
