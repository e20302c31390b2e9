/**
 * Judges a model, and a quantized one against its float parent, on data: sample by sample, keeping sums and never outputs.
 */
import { type Diagnostic, LowbitError, withPlace } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import type { Session, Tensors } from "#model/session";
import type { Tensor } from "#model/tensor";
import { addOutputs, isFloat, type Nearness, startNearness } from "#report/nearness";
import { argmax, type Counts, judge, readScores, type Scores } from "#report/scores";
import type { QualityReport } from "#report/types";

export const metrics = ["top1", "top5", "nll", "sqnr", "agreement"] as const;
export type Metric = (typeof metrics)[number];

/** What is judged on. */
export interface EvaluationData {
  readonly name: string;
  readonly length: number;
  sample(index: number): Promise<{
    readonly inputs: Tensors;
    readonly label?: number;
    /** Per position the token that comes next; −1 is not judged. */
    readonly targets?: Int32Array;
    readonly id: string;
  }>;
}

export interface EvaluateOptions extends JobOptions {
  /** Default: top1 with labels, nll with targets, else agreement where the answer is a class, else sqnr. */
  readonly metric?: Metric;
  /** The model's class of the data's class 0. Default 0. */
  readonly classOffset?: number;
  /** The output that holds the answer. Default: the first of floating point; without labels, only where it is the only one. */
  readonly output?: string;
}

export interface Evaluation {
  readonly quality: QualityReport;
  readonly diagnostics: readonly Diagnostic[];
}

/** `float` may be left out: then only the quantized model's own metric is known. */
export async function evaluate(
  sessions: { readonly float?: Session; readonly quantized: Session },
  data: EvaluationData,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  if (data.length === 0)
    throw new LowbitError("data/none", `${data.name} holds no samples to judge on`, {
      hint: "give more data, or calibrate on fewer samples",
    });
  const { classOffset = 0 } = options;
  const tally: Tally = {
    float: { top1: 0, top5: 0, nll: 0 },
    quantized: { top1: 0, top5: 0, nll: 0 },
    agree: 0,
    answers: 0,
    judged: 0,
    answered: new Set(),
    nearness: startNearness(),
  };
  for (let i = 0; i < data.length; i++) {
    throwIfAborted(options.signal);
    const sample = await data.sample(i);
    const run = (session: Session | undefined): Promise<Record<string, Tensor> | undefined> =>
      session === undefined
        ? Promise.resolve(undefined)
        : session.run(sample.inputs).catch((error: unknown) => {
            throw withPlace(error, { file: sample.id });
          });
    const [reference, answer] = await Promise.all([run(sessions.float), run(sessions.quantized)]);
    if (answer === undefined) continue;
    addOutputs(tally.nearness, reference, answer, sample.id);
    const { targets, label } = sample;
    const output = answerOutput(answer, options, label !== undefined || targets !== undefined);
    const read = (outputs: Record<string, Tensor> | undefined): Scores | undefined =>
      output === undefined ? undefined : readScores(outputs?.[output], classOffset, targets !== undefined);
    const [scores, truth] = [read(answer), read(reference)];
    if (scores !== undefined) {
      for (let row = 0; row < scores.rows; row++) {
        const target = targets === undefined ? (scores.rows === 1 ? label : undefined) : targets[row];
        if (truth !== undefined) {
          const best = argmax(truth, row);
          tally.answered.add(best);
          if (best === argmax(scores, row)) tally.agree++;
          tally.answers++;
        }
        if (target === undefined || target < 0) continue;
        if (target >= scores.columns) {
          throw new LowbitError(
            "data/labels",
            `${sample.id} has label ${target}, but output ${output} tells ${scores.columns} classes apart`,
            { at: { file: sample.id, tensor: output }, hint: "see --class-offset and --output" },
          );
        }
        tally.judged++;
        judge(scores, row, target, tally.quantized);
        if (truth !== undefined) judge(truth, row, target, tally.float);
      }
    }
    options.onProgress?.({ stage: "evaluate", done: i + 1, total: data.length });
  }
  return {
    quality: summarize(tally, data, sessions.float !== undefined, options.metric),
    diagnostics: sessions.float === undefined ? broken(tally) : [...broken(tally), ...unvarying(tally, data)],
  };
}

interface Tally {
  readonly float: Counts;
  readonly quantized: Counts;
  agree: number;
  answers: number;
  judged: number;
  /** Classes that the float model answered. */
  readonly answered: Set<number>;
  readonly nearness: Nearness;
}

/**
 * The output with the answer. Of several the first of floating point, but only where one is asked for: the many outputs of a
 * detector are no choice among classes.
 */
function answerOutput(
  outputs: Readonly<Record<string, Tensor>>,
  { output, metric = "sqnr" }: EvaluateOptions,
  labelled: boolean,
): string | undefined {
  if (output !== undefined) return output;
  const floats = Object.keys(outputs).filter((name) => isFloat(outputs[name]));
  return floats.length === 1 || labelled || metric !== "sqnr" ? floats[0] : undefined;
}

function summarize(tally: Tally, data: EvaluationData, compared: boolean, wanted: Metric | undefined): QualityReport {
  const { judged, answers, nearness } = tally;
  const { signal, noise, whole } = nearness;
  // class ids and masks: every element is an answer
  const agreement = answers > 0 ? tally.agree / answers : signal === 0 && whole > 0 ? nearness.same / whole : null;
  const logitSqnrDb =
    nearness.broken > 0
      ? Number.NEGATIVE_INFINITY
      : noise === 0
        ? Number.POSITIVE_INFINITY
        : 10 * Math.log10(signal / noise);
  const metric =
    wanted ??
    (judged > 0
      ? answers > data.length || judged > data.length
        ? "nll"
        : "top1"
      : agreement === null
        ? "sqnr"
        : "agreement");
  if (judged === 0 && (metric === "top1" || metric === "top5" || metric === "nll")) {
    throw new LowbitError(
      "data/labels",
      `${metric} needs labels, and ${data.name} has none that fit the model's output`,
      { hint: "add labels.json, or use --metric agreement or sqnr" },
    );
  }
  const value = (counts: Counts): number | null =>
    metric === "agreement" || metric === "sqnr" ? null : counts[metric] / judged;
  const float = compared ? value(tally.float) : null;
  const quantized =
    metric === "agreement" ? agreement : metric === "sqnr" ? (compared ? logitSqnrDb : null) : value(tally.quantized);
  const drop = float === null || quantized === null ? null : metric === "nll" ? quantized - float : float - quantized;
  return {
    metric,
    samples: data.length,
    data: data.name,
    float,
    quantized,
    drop,
    agreement: compared ? agreement : null,
    logitSqnrDb: compared ? logitSqnrDb : Number.NaN,
    ...(metric === "nll" && float !== null && quantized !== null
      ? { perplexity: { float: Math.exp(float), quantized: Math.exp(quantized) } }
      : {}),
  };
}

function broken({ nearness }: Tally): Diagnostic[] {
  if (nearness.broken === 0) return [];
  return [
    {
      code: "proof/non-finite",
      level: "warning",
      message: `${nearness.broken} outputs hold NaN or ∞ where the float model's do not; the first on ${nearness.firstBroken}`,
      at: { file: nearness.firstBroken },
      hint: "a layer overflows: keep it in float (--keep), or use another recipe",
    },
  ];
}

/** What the data cannot tell, because the float model answers the same to all of it. */
function unvarying({ answered, nearness }: Tally, data: EvaluationData): Diagnostic[] {
  const hint = "judge on more varied samples (--data)";
  if (data.length > 1 && !nearness.varies) {
    const message = `the float model's outputs are the same on all ${data.length} samples of ${data.name}, so that equal outputs prove nothing`;
    return [{ code: "proof/constant", level: "warning", message, hint }];
  }
  if (answered.size !== 1) return [];
  const message = `the float model gives one and the same answer on all samples of ${data.name}: agreement says little, the outputs' signal-to-noise ratio more`;
  return [{ code: "proof/one-answer", level: "info", message, hint }];
}
