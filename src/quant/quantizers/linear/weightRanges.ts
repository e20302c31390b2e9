/**
 * Ranges found on the values themselves. Observers choose ranges for activations from summaries; the weights that share a scale
 * are all at hand, and often too few for a histogram.
 *
 * Deterministic: + − × ÷ √, comparison and rounding only, in the order of the elements.
 */
import { sortFloats } from "#math/sortFloats";
import { extremes } from "#quant/affine";
import { forEachRun, type Granularity } from "#quant/granularity";
import { aciqRange } from "#quant/observers/aciq";
import { entropy } from "#quant/observers/entropy";
import { octavClip, stepShare } from "#quant/observers/octav";
import type { Range, RangeUse } from "#quant/observers/types";
import { leastErrorRange, type SharedValues } from "#quant/quantizers/linear/leastErrorRange";
import type { RangeRule } from "#quant/scheme";
import { summarize } from "#quant/summary";

/** The range of each parameter, by a rule. Throws quant/non-finite. */
export function weightRanges(
  x: Float32Array,
  shape: readonly number[],
  granularity: Granularity,
  rule: RangeRule,
  use: RangeUse,
  importance: Float32Array | undefined,
): { readonly low: ArrayLike<number>; readonly high: ArrayLike<number> } {
  const found = extremes(x, shape, granularity);
  // the mean of one sample's extremes is its extremes
  if (rule.by === "minmax" || rule.by === "average") return found;
  const [low, high] = [Float64Array.from(found.low), Float64Array.from(found.high)];
  const gather = gatherer(shape, granularity, low.length);
  const [values, weights] = [gather.all(x), importance && gather.all(importance)];
  for (let i = 0; i < low.length; i++) {
    const [from, to] = [gather.starts[i], gather.starts[i + 1]];
    if (from === to || low[i] === high[i]) continue;
    const importances = weights?.subarray(from, to);
    const shared = {
      values: values.subarray(from, to),
      // where nothing matters, all matters alike
      importance: importances?.some((h) => h > 0) === true ? importances : undefined,
      min: low[i],
      max: high[i],
    };
    const range = rangeOf(shared, rule, use);
    low[i] = range.low;
    high[i] = range.high;
  }
  return { low, high };
}

function rangeOf(shared: SharedValues, rule: RangeRule, use: RangeUse): Range {
  const { values, importance, min, max } = shared;
  switch (rule.by) {
    case "minmax":
    case "average":
      return { low: min, high: max };
    case "percentile":
      return percentileRange(values, rule.p);
    case "mse":
      return leastErrorRange(shared, use);
    case "entropy":
      return entropy.range(summarize(values, true), rule, use);
    case "aciq":
      return aciqRange(values, importance, shared, use);
    case "octav": {
      const clip = octavClip(values.map(Math.abs), importance, stepShare(shared, use));
      return { low: Math.max(min, -clip), high: Math.min(max, clip) };
    }
  }
}

/** Between order statistics by straight lines, as NumPy's default. */
function percentileRange(values: Float32Array, p: number): Range {
  const sorted = sortFloats(values).values;
  const at = (rank: number): number => {
    const below = Math.floor(rank);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (rank - below) * (sorted[above] - sorted[below]);
  };
  const outside = ((100 - p) / 200) * (sorted.length - 1);
  return { low: at(outside), high: at(sorted.length - 1 - outside) };
}

/** Brings the elements of each parameter together: those of parameter i are at starts[i] … starts[i + 1]. */
function gatherer(
  shape: readonly number[],
  granularity: Granularity,
  parameters: number,
): { readonly starts: Int32Array; all(x: Float32Array): Float32Array } {
  const starts = new Int32Array(parameters + 1);
  forEachRun(shape, granularity, (index, _offset, _step, count) => {
    starts[index + 1] += count;
  });
  for (let i = 0; i < parameters; i++) starts[i + 1] += starts[i];
  return {
    starts,
    all(x) {
      const out = new Float32Array(x.length);
      const next = starts.slice();
      forEachRun(shape, granularity, (index, offset, step, count) => {
        let to = next[index];
        for (let k = 0, i = offset; k < count; k++, i += step) out[to++] = x[i];
        next[index] = to;
      });
      return out;
    },
  };
}
