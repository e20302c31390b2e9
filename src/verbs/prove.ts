/**
 * The proof that a quantized model is one: it loads in the runtime it is for, runs on data, agrees with its float parent, and is
 * measured against it. A model that fails is refused, not written.
 */
import { type Diagnostic, LowbitError } from "#base/errors";
import type { JobOptions } from "#base/progress";
import type { Session, Tensors } from "#model/session";
import { type EvaluateOptions, type EvaluationData, evaluate } from "#report/evaluate";
import type { QualityReport, SpeedReport } from "#report/types";

export interface Thresholds {
  /** Least share of samples with the float model's answer, where the answer is a class. Default 0.9. */
  readonly minAgreement?: number;
  /** Least signal-to-noise ratio of the outputs where the answer is no class, or always the same one, in dB. Default 10. */
  readonly minSqnrDb?: number;
}

export const defaultThresholds = { minAgreement: 0.9, minSqnrDb: 10 } as const;

export interface ProofOptions extends JobOptions, Thresholds, Omit<EvaluateOptions, keyof JobOptions> {
  readonly float: Session;
  readonly quantized: Session;
  readonly data: EvaluationData;
}

/**
 * Judges and refuses: throws `proof/output` for NaN or ∞ the parent does not have, `proof/agreement` below the threshold, and
 * `proof/constant` where the parent answers the same to all samples, so that a model that ignores its input would pass.
 */
export async function proveQuality(
  options: ProofOptions,
): Promise<{ readonly quality: QualityReport; readonly diagnostics: readonly Diagnostic[] }> {
  const {
    float,
    quantized,
    data,
    minAgreement = defaultThresholds.minAgreement,
    minSqnrDb = defaultThresholds.minSqnrDb,
  } = options;
  const { quality, diagnostics } = await evaluate({ float, quantized }, data, options);
  const [broken] = diagnostics.filter(({ code }) => code === "proof/non-finite");
  if (broken !== undefined) {
    throw new LowbitError("proof/output", broken.message, {
      ...(broken.at === undefined ? {} : { at: broken.at }),
      ...(broken.hint === undefined ? {} : { hint: broken.hint }),
    });
  }
  const constant = diagnostics.find(({ code }) => code === "proof/constant");
  if (constant !== undefined) {
    throw new LowbitError("proof/constant", constant.message, {
      hint: "give real samples, on which the model's answers differ (--data)",
    });
  }
  const oneAnswer = diagnostics.some(({ code }) => code === "proof/one-answer");
  const { agreement, logitSqnrDb, samples } = quality;
  const hint =
    "see which layers lose most with --report, keep those in float (--keep NAME), use more bits, or lower the threshold";
  if (agreement !== null && agreement < minAgreement) {
    throw new LowbitError(
      "proof/agreement",
      `the quantized model gives the float model's answer on ${percent(agreement)} of ${samples} samples of ${data.name}; at least ${percent(minAgreement)} are asked for (--min-agreement)`,
      { hint },
    );
  }
  if ((agreement === null || oneAnswer) && !(logitSqnrDb >= minSqnrDb)) {
    throw new LowbitError(
      "proof/agreement",
      `the quantized model's outputs keep ${logitSqnrDb.toFixed(1)} dB of the float model's on ${samples} samples of ${data.name}; at least ${minSqnrDb} dB are asked for (--min-sqnr)`,
      { hint },
    );
  }
  return { quality, diagnostics };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Median times of both models, run in turn so that a busy machine is as unkind to one as to the other. */
export async function measureSpeed(
  float: Session,
  quantized: Session,
  feeds: Tensors,
  options: { readonly rounds?: number; readonly threads?: number } = {},
): Promise<SpeedReport> {
  const { rounds = 7, threads = 1 } = options;
  const [first] = await float.time(feeds, 1);
  // 30 ms a turn, so that a 50 µs model is not judged by its clock
  const runs = Math.max(1, Math.min(200, Math.ceil(30 / Math.max(first, 0.01))));
  const times = { float: [] as number[], quantized: [] as number[] };
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const a = median(await float.time(feeds, runs));
    const b = median(await quantized.time(feeds, runs));
    times.float.push(a);
    times.quantized.push(b);
    ratios.push(a / b);
  }
  return {
    label: "measured",
    runtime: quantized.runtime,
    threads,
    floatMs: median(times.float),
    quantizedMs: median(times.quantized),
    speedup: median(ratios),
    rounds,
  };
}

function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
