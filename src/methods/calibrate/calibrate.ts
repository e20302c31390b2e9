import { type Diagnostic, LowbitError } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import { batchesOf } from "#methods/calibrate/batches";
import {
  type ChannelTap,
  type ObservedValue,
  samplingStep,
  tapExtremes,
  tapHistograms,
  tapOutputs,
  valuesWithoutMeans,
} from "#methods/calibrate/tapGraph";
import type { Stats } from "#methods/types";
import type { Model } from "#model/model";
import type { OpenSession, Tensors } from "#model/session";
import { toNumbers } from "#model/tensor";
import { endless } from "#quant/affine";
import { binsFor, emptySummary, mergeSummaries, type Summary } from "#quant/summary";

export interface CalibrationData {
  readonly name: string;
  readonly length: number;
  /** The feeds of one sample. Asked for again in the second pass. */
  readonly feeds: (index: number) => Promise<Tensors>;
}

export interface CalibrateOptions extends JobOptions {
  readonly openSession: OpenSession;
  /** Values to observe; float32. */
  readonly values: readonly ObservedValue[];
  /** Values whose means per channel are wanted too. */
  readonly channels: readonly ChannelTap[];
  /** Whether any range rule needs more than extremes: a second pass over the data. */
  readonly histograms: boolean;
}

/**
 * Runs the model on the data and keeps, for each value, its extremes and (in a second pass, once the extremes fix the bins) its
 * histogram. Memory does not depend on the number of samples; where a model has very many or very large values, they are observed
 * batch by batch, and the passes are as many times more. A value that was NaN or endless is left out, with a diagnostic.
 */
export async function calibrate(
  model: Model,
  data: CalibrationData,
  options: CalibrateOptions,
): Promise<{ readonly stats: Stats; readonly diagnostics: readonly Diagnostic[] }> {
  if (data.length === 0) {
    throw new LowbitError("plan/no-calibration", `${data.name} holds no samples`, {
      hint: "give --data a folder or file with at least one sample",
    });
  }
  const observed = new Map<string, Summary>();
  const channelMeans = new Map<string, Float64Array>();
  const diagnostics: Diagnostic[] = [];
  const batches = batchesOf(options.values, options.channels);
  const passes = { done: 0, all: batches.length * (options.histograms ? 2 : 1) };
  for (const batch of batches) {
    const observing = { ...options, ...batch, passes };
    const { summaries, means, withNaN } = await observeExtremes(model, data, observing);
    const bounded = new Map<string, Summary>();
    batch.values.forEach(({ tensor }, t) => {
      const { sumOfMin, sumOfMax, min, max } = summaries[t];
      // NaN makes every comparison with it false, so what must be true is asked
      if (-endless < sumOfMin && sumOfMax < endless && min <= max && !withNaN.has(tensor))
        bounded.set(tensor, summaries[t]);
      else {
        const message = `${tensor} was NaN or beyond ±${endless} on ${data.name}; what reads it stays in float`;
        diagnostics.push({ code: "calibrate/non-finite", level: "warning", message, at: { tensor } });
      }
    });
    if (options.histograms && bounded.size > 0) await observeHistograms(model, data, observing, bounded);
    for (const [tensor, summary] of bounded) observed.set(tensor, summary);
    for (const [tensor, mean] of means) if (mean.every(Number.isFinite)) channelMeans.set(tensor, mean);
  }
  return { stats: { version: 1, samples: data.length, data: data.name, tensors: observed, channelMeans }, diagnostics };
}

interface ObserveOptions extends CalibrateOptions {
  readonly passes: { done: number; readonly all: number };
}

type Run = Readonly<Record<string, ArrayLike<number>>>;

/** Runs a tapped model on every sample. */
async function pass(
  model: Model,
  data: CalibrationData,
  { openSession, signal, onProgress, passes }: ObserveOptions,
  take: (run: Run) => void,
): Promise<void> {
  const session = await openSession(model);
  try {
    for (let i = 0; i < data.length; i++) {
      throwIfAborted(signal);
      const results = await session.run(await data.feeds(i));
      take(Object.fromEntries(Object.entries(results).map(([name, value]) => [name, toNumbers(value)])));
      onProgress?.({
        stage: "calibrate",
        done: passes.done * data.length + i + 1,
        total: passes.all * data.length,
      });
    }
    passes.done++;
  } finally {
    await session.close();
  }
}

interface Extremes {
  readonly summaries: readonly Summary[];
  readonly means: ReadonlyMap<string, Float64Array>;
  readonly withNaN: ReadonlySet<string>;
}

async function observeExtremes(model: Model, data: CalibrationData, options: ObserveOptions): Promise<Extremes> {
  const { values, channels } = options;
  const means = new Map(channels.map(({ tensor, length }) => [tensor, new Float64Array(length)]));
  const withNaN = new Set<string>();
  let summaries = values.map(() => emptySummary);
  const summed = valuesWithoutMeans(values, channels);
  await pass(tapExtremes(model, values, channels), data, options, (run) => {
    const { min: leasts, max: greatests, means: averages, sums } = tapOutputs;
    const { [leasts]: least = [], [greatests]: greatest = [], [averages]: average = [], [sums]: sum = [] } = run;
    let signed = 0;
    summaries = summaries.map((summary, t) => {
      const max = greatest[t];
      const min = values[t].fromZero === true ? 0 : least[signed++];
      return mergeSummaries(summary, { count: 0, min, max, samples: 1, sumOfMin: min, sumOfMax: max });
    });
    summed.forEach(({ tensor }, i) => {
      if (Number.isNaN(sum[i])) withNaN.add(tensor);
    });
    let at = 0;
    for (const [tensor, mean] of means) {
      for (let c = 0; c < mean.length; c++) mean[c] += average[at++] / data.length;
      if (mean.some(Number.isNaN)) withNaN.add(tensor);
    }
  });
  return { summaries, means, withNaN };
}

/** Adds histograms to the summaries, on the grids that their extremes fix. */
async function observeHistograms(
  model: Model,
  data: CalibrationData,
  options: ObserveOptions,
  observed: Map<string, Summary>,
): Promise<void> {
  const dims = new Map(options.values.map((value) => [value.tensor, value.dims]));
  const bins = [...observed].map(([tensor, { min, max }]) => ({
    tensor,
    ...binsFor(min, max),
    step: samplingStep(dims.get(tensor)),
  }));
  const counts = bins.map(({ length }) => new Float64Array(length + 2));
  await pass(tapHistograms(model, bins), data, options, (run) => {
    const all = run[tapOutputs.counts];
    let at = 0;
    for (const sums of counts) for (let i = 0; i < sums.length; i++) sums[i] += all[at++];
  });
  bins.forEach(({ tensor, width, first, length }, t) => {
    const own = counts[t].slice(1, length + 1);
    own[0] += counts[t][0];
    own[length - 1] += counts[t][length + 1];
    const count = own.reduce((sum, n) => sum + n, 0);
    observed.set(tensor, {
      ...(observed.get(tensor) ?? emptySummary),
      count,
      histogram: { width, first, counts: own },
    });
  });
}
