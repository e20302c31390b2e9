import { type Diagnostic, LowbitError } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import { type ChannelTap, tapExtremes, tapHistograms, tapOutputs } from "#methods/calibrate/tapGraph";
import type { Stats } from "#methods/types";
import type { Model } from "#model/model";
import type { OpenSession, Tensors } from "#model/session";
import { toNumbers } from "#model/tensor";
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
  readonly tensors: readonly string[];
  /** Values whose means per channel are wanted too. */
  readonly channels: readonly ChannelTap[];
  /** Whether any range rule needs more than extremes: a second pass over the data. */
  readonly histograms: boolean;
}

/**
 * Runs the model on the data and keeps, for each tensor, its extremes and (in a second pass, once the extremes fix the bins) its
 * histogram. Memory does not depend on the number of samples. A tensor that showed NaN or ±∞ is left out, with a diagnostic.
 */
export async function calibrate(
  model: Model,
  data: CalibrationData,
  options: CalibrateOptions,
): Promise<{ readonly stats: Stats; readonly diagnostics: readonly Diagnostic[] }> {
  const { tensors, channels, histograms, openSession } = options;
  const diagnostics: Diagnostic[] = [];
  if (data.length === 0)
    throw new LowbitError("plan/no-calibration", `${data.name} holds no samples`, {
      hint: "give --data a folder or file with at least one sample",
    });
  const passes = histograms ? 2 : 1;
  let summaries = tensors.map(() => emptySummary);
  const pass = async (
    number: number,
    tapModel: Model,
    fetch: (run: Record<string, ReturnType<typeof toNumbers>>) => void,
  ): Promise<void> => {
    const session = await openSession(tapModel);
    try {
      for (let i = 0; i < data.length; i++) {
        throwIfAborted(options.signal);
        const results = await session.run(await data.feeds(i));
        fetch(Object.fromEntries(Object.entries(results).map(([name, value]) => [name, toNumbers(value)])));
        options.onProgress?.({
          stage: "calibrate",
          done: (number - 1) * data.length + i + 1,
          total: passes * data.length,
        });
      }
    } finally {
      await session.close();
    }
  };

  let means: Float64Array = new Float64Array(0);
  if (tensors.length > 0) {
    await pass(1, tapExtremes(model, tensors, channels), (run) => {
      const { [tapOutputs.min]: low, [tapOutputs.max]: high, [tapOutputs.means]: mean = [] } = run;
      summaries = summaries.map((summary, t) =>
        mergeSummaries(summary, {
          count: 0,
          min: low[t],
          max: high[t],
          samples: 1,
          sumOfMin: low[t],
          sumOfMax: high[t],
        }),
      );
      if (means.length === 0) means = new Float64Array(mean.length);
      for (let i = 0; i < means.length; i++) means[i] += mean[i] / data.length;
    });
  }
  // NaN makes every comparison with it false, so test what must be true
  const usable = tensors.map(
    (_, t) =>
      Number.isFinite(summaries[t].sumOfMin) &&
      Number.isFinite(summaries[t].sumOfMax) &&
      summaries[t].min <= summaries[t].max,
  );
  const observed = new Map<string, Summary>();
  tensors.forEach((name, t) => {
    if (usable[t]) observed.set(name, summaries[t]);
    else
      diagnostics.push({
        code: "calibrate/non-finite",
        level: "warning",
        message: `${name} took the value NaN or ±∞ on ${data.name}; what reads it stays in float`,
        at: { tensor: name },
      });
  });
  if (histograms && observed.size > 0) {
    const bins = [...observed].map(([name, { min, max }]) => ({ tensor: name, ...binsFor(min, max) }));
    const counts = bins.map((row) => new Float64Array(row.length));
    await pass(2, tapHistograms(model, bins), (run) => {
      const all = run[tapOutputs.counts];
      let at = 0;
      for (const sums of counts) for (let i = 0; i < sums.length; i++) sums[i] += all[at++];
    });
    bins.forEach(({ tensor, width, first }, t) => {
      const summary = observed.get(tensor) ?? emptySummary;
      observed.set(tensor, {
        ...summary,
        count: counts[t].reduce((sum, n) => sum + n, 0),
        histogram: { width, first, counts: counts[t] },
      });
    });
  }
  const channelMeans = new Map<string, Float64Array>();
  let at = 0;
  for (const { tensor, length } of channels) channelMeans.set(tensor, means.slice(at, (at += length)));
  return { stats: { version: 1, samples: data.length, data: data.name, tensors: observed, channelMeans }, diagnostics };
}
