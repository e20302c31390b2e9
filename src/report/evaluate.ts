/**
 * Judges a model, and a quantized one against its float parent, on data: sample by sample, keeping sums and never outputs.
 */
import { type Diagnostic, LowbitError, withPlace } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import type { Session, Tensors } from "#model/session";
import { type Tensor, toNumbers } from "#model/tensor";
import { argmax, type Counts, judge, readScores } from "#report/scores";
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
  /** The output that holds the answer. Default: the first of floating point. */
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
  const tally = {
    float: { top1: 0, top5: 0, nll: 0 },
    quantized: { top1: 0, top5: 0, nll: 0 },
    agree: 0,
    answers: 0,
    judged: 0,
    signal: 0,
    noise: 0,
    broken: 0,
  };
  let broken = "";
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
    const output = options.output ?? answerOutput(answer);
    compareOutputs(reference, answer, tally, sample.id, (id) => {
      broken ||= id;
    });
    const scores = readScores(answer[output], classOffset, sample.targets !== undefined);
    const truth =
      reference === undefined ? undefined : readScores(reference[output], classOffset, sample.targets !== undefined);
    if (scores !== undefined) {
      const { targets, label } = sample;
      for (let row = 0; row < scores.rows; row++) {
        const target = targets === undefined ? (scores.rows === 1 ? label : undefined) : targets[row];
        const best = argmax(scores, row);
        if (truth !== undefined) {
          if (argmax(truth, row) === best) tally.agree++;
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
    diagnostics: brokenOutputs(tally.broken, broken),
  };
}

interface Tally {
  readonly float: Counts;
  readonly quantized: Counts;
  agree: number;
  answers: number;
  judged: number;
  signal: number;
  noise: number;
  broken: number;
}

/** The output with the answer: the first of floating point, or else the first. */
function answerOutput(outputs: Readonly<Record<string, Tensor>>): string {
  const names = Object.keys(outputs);
  return names.find((name) => outputs[name].type.startsWith("float")) ?? names[0];
}

function compareOutputs(
  reference: Record<string, Tensor> | undefined,
  answer: Record<string, Tensor>,
  tally: Tally,
  id: string,
  onBroken: (id: string) => void,
): void {
  for (const [name, value] of Object.entries(answer)) {
    if (!value.type.startsWith("float") && value.type !== "bfloat16") continue;
    const y = toNumbers(value);
    const x = reference === undefined ? undefined : toNumbers(reference[name]);
    if (x !== undefined && x.length !== y.length) {
      throw new LowbitError(
        "proof/output",
        `output ${name} has ${y.length} elements, its float parent's has ${x.length}`,
        { at: { tensor: name, file: id } },
      );
    }
    let finite = true;
    for (let i = 0; i < y.length; i++) {
      const expected = x?.[i] ?? y[i];
      // where the parent itself answers ∞ or NaN there is nothing to lose
      if (expected - expected !== 0) continue;
      finite = finite && y[i] - y[i] === 0;
      tally.signal += expected * expected;
      tally.noise += (y[i] - expected) * (y[i] - expected);
    }
    if (!finite) {
      tally.broken++;
      onBroken(id);
    }
  }
}

function summarize(tally: Tally, data: EvaluationData, compared: boolean, wanted: Metric | undefined): QualityReport {
  const { judged, answers, signal, noise } = tally;
  const agreement = answers === 0 ? null : tally.agree / answers;
  const logitSqnrDb =
    tally.broken > 0
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

function brokenOutputs(count: number, first: string): Diagnostic[] {
  if (count === 0) return [];
  return [
    {
      code: "proof/non-finite",
      level: "warning",
      message: `${count} outputs hold NaN or ∞ where the float model's do not; the first on ${first}`,
      at: { file: first },
      hint: "a layer overflows: keep it in float (--keep), or use another recipe",
    },
  ];
}
