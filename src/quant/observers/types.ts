import type { AffineOptions } from "#quant/affine";
import type { DTypeName } from "#quant/dtype";
import type { RangeRule } from "#quant/scheme";
import type { Summary } from "#quant/summary";

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** What the range is for: the codes that will have to cover it. */
export interface RangeUse extends AffineOptions {
  readonly dtype: DTypeName;
}

/**
 * Chooses the range that the codes of a tensor span, from what calibration saw of it. Values outside are clipped.
 *
 * Every observer reads the same mergeable `Summary`, so one pass over the data serves all of them, and collecting in parts is
 * exact for each. `range` is called with a summary of at least one value.
 */
export interface Observer {
  readonly name: RangeRule["by"];
  /** Whether the summary must hold a histogram, which costs a second pass over the data. */
  readonly needsHistogram: boolean;
  range(summary: Summary, rule: RangeRule, use: RangeUse): Range;
}
