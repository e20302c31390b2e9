/** What a loss is: data that says what is compared, and a rule that writes it into a graph. */
import type { Node } from "#model/model";
import type { GradientWriter } from "#model/ops/gradient";
import type { ElementType } from "#model/tensor";

/**
 * Where the numbers come from that a loss compares with: `labels` of the data set, `targets` of the data set, or the same value of the
 * `teacher`, run on the same batch.
 */
export type LossRole = "labels" | "targets" | "teacher";

/** An input that a loss adds to the model. */
export interface LossInput {
  readonly name: string;
  readonly role: LossRole;
  /** The value of the model that it is compared with. */
  readonly of: string;
  readonly element: ElementType;
  readonly shape: readonly number[];
}

export interface LossContext {
  readonly write: GradientWriter;
  /** The named value, or the model's output where it has but one. Throws model/missing-tensor for a name that is none of the model's. */
  readonly valueOf: (name: string | undefined) => string;
  /** The node that computes a value. */
  readonly producer: (value: string) => Node | undefined;
  /** Adds an input; returns its name. */
  readonly input: (role: LossRole, of: string, element: ElementType, shape: readonly number[]) => string;
  /** Writes another loss: for those that are made of several. */
  readonly append: (loss: Loss) => string;
}

/** Writes the nodes of a loss and returns the name of its value: a scalar. */
export type LossRule<L extends Loss> = (loss: L, context: LossContext) => string;

/**
 * Of a class: −log of the share that the model gives the right one, averaged over labels. `of` holds logits; where it is the result
 * of a Softmax, that one's input is used, and where only moves stand behind the Softmax, log(p + 1e−12).
 */
export interface CrossEntropy {
  readonly kind: "cross-entropy";
  /** Default: the model's only output. */
  readonly of?: string;
  /** Axis of the classes; default the last, 1 for images of labels ([N, classes, H, W]). */
  readonly axis?: number;
  /** Labels of this number do not count. */
  readonly ignore?: number;
}

/** Of a language model: cross-entropy of each token given those before it. Takes no labels, but the model's own input. */
export interface NextToken {
  readonly kind: "next-token";
  /** Logits [batch, length, vocabulary]. Default: the model's only output. */
  readonly of?: string;
  /** Token ids [batch, length]. → "input_ids" */
  readonly tokens: string;
  /** The token that fills up short texts: does not count where it would have to be predicted. */
  readonly ignore?: number;
}

/** Mean squared difference from given targets. */
export interface MeanSquaredError {
  readonly kind: "mse";
  readonly of?: string;
}

/**
 * Knowledge distillation (Hinton et al. 2015): KL(teacher ‖ student) of both softened by a temperature T, times T² so that gradients do
 * not shrink with it, averaged over vectors. Both are what `of` is: logits, or probabilities where a Softmax made it.
 */
export interface Distillation {
  readonly kind: "distillation";
  readonly of?: string;
  readonly axis?: number;
  /** T; default 4. */
  readonly temperature?: number;
}

/** Intermediate values as the teacher has them: squared difference relative to the teacher's mean square, averaged over the values. */
export interface FeatureMatching {
  readonly kind: "features";
  readonly values: readonly string[];
}

/** Several losses, each times its weight. */
export interface WeightedSum {
  readonly kind: "sum";
  readonly terms: readonly { readonly weight: number; readonly loss: Loss }[];
}

export type Loss = CrossEntropy | NextToken | MeanSquaredError | Distillation | FeatureMatching | WeightedSum;
