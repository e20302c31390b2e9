import { type Diagnostic, LowbitError } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
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
 * histogram. Memory does not depend on the number of samples. A value that was NaN or endless is left out, with a diagnostic.
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
  const { values } = options;
  const { summaries, means, withNaN } = await observeExtremes(model, data, options);
  const observed = new Map<string, Summary>();
  const diagnostics: Diagnostic[] = [];
  values.forEach(({ tensor }, t) => {
    const { sumOfMin, sumOfMax, min, max } = summaries[t];
    // NaN makes every comparison with it false, so what must be true is asked
    const bounded = -endless < sumOfMin && sumOfMax < endless && min <= max && !withNaN.has(tensor);
    if (bounded) observed.set(tensor, summaries[t]);
    else {
      const message = `${tensor} was NaN or beyond ±${endless} on ${data.name}; what reads it stays in float`;
      diagnostics.push({ code: "calibrate/non-finite", level: "warning", message, at: { tensor } });
    }
  });
  if (options.histograms && observed.size > 0) await observeHistograms(model, data, options, observed);
  const channelMeans = new Map([...means].filter(([, mean]) => mean.every(Number.isFinite)));
  return { stats: { version: 1, samples: data.length, data: data.name, tensors: observed, channelMeans }, diagnostics };
}

type Run = Readonly<Record<string, ArrayLike<number>>>;

/** Runs a tapped model on every sample. */
async function pass(
  model: Model,
  data: CalibrationData,
  { openSession, signal, onProgress }: CalibrateOptions,
  { number, of }: { readonly number: number; readonly of: number },
  take: (run: Run) => void,
): Promise<void> {
  const session = await openSession(model);
  try {
    for (let i = 0; i < data.length; i++) {
      throwIfAborted(signal);
      const results = await session.run(await data.feeds(i));
      take(Object.fromEntries(Object.entries(results).map(([name, value]) => [name, toNumbers(value)])));
      onProgress?.({ stage: "calibrate", done: (number - 1) * data.length + i + 1, total: of * data.length });
    }
  } finally {
    await session.close();
  }
}

interface Extremes {
  readonly summaries: readonly Summary[];
  readonly means: ReadonlyMap<string, Float64Array>;
  readonly withNaN: ReadonlySet<string>;
}

async function observeExtremes(model: Model, data: CalibrationData, options: CalibrateOptions): Promise<Extremes> {
  const { values, channels, histograms } = options;
  const means = new Map(channels.map(({ tensor, length }) => [tensor, new Float64Array(length)]));
  const withNaN = new Set<string>();
  let summaries = values.map(() => emptySummary);
  if (values.length === 0 && channels.length === 0) return { summaries, means, withNaN };
  const summed = valuesWithoutMeans(values, channels);
  await pass(tapExtremes(model, values, channels), data, options, { number: 1, of: histograms ? 2 : 1 }, (run) => {
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
  options: CalibrateOptions,
  observed: Map<string, Summary>,
): Promise<void> {
  const dims = new Map(options.values.map((value) => [value.tensor, value.dims]));
  const bins = [...observed].map(([tensor, { min, max }]) => ({
    tensor,
    ...binsFor(min, max),
    step: samplingStep(dims.get(tensor)),
  }));
  const counts = bins.map(({ length }) => new Float64Array(length + 2));
  await pass(tapHistograms(model, bins), data, options, { number: 2, of: 2 }, (run) => {
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
