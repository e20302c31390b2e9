/** What the metrics of a report are called, and how their values and losses read. */
import { formatDecibels, formatNumber, formatPercent, formatPoints, unknown } from "#report/format";
import { dropMargin } from "#report/interval";
import type { QualityReport } from "#report/types";

export interface Metric {
  /** "top-1 accuracy" */
  readonly name: string;
  /** "top-1", for tight places */
  readonly short: string;
  readonly unit: "share" | "nats" | "decibels" | "number";
  readonly better: "higher" | "lower";
}

const metrics: Readonly<Record<string, Metric>> = {
  top1: { name: "top-1 accuracy", short: "top-1", unit: "share", better: "higher" },
  top5: { name: "top-5 accuracy", short: "top-5", unit: "share", better: "higher" },
  nll: { name: "negative log-likelihood", short: "nll", unit: "nats", better: "lower" },
  sqnr: { name: "output SQNR", short: "SQNR", unit: "decibels", better: "higher" },
  agreement: { name: "agreement with float", short: "agreement", unit: "share", better: "higher" },
};

/** The metric of that name; a name nobody knows is a plain number of which more is better. */
export function metricOf(name: string): Metric {
  return Object.hasOwn(metrics, name) ? metrics[name] : { name, short: name, unit: "number", better: "higher" };
}

/** A value of the report's metric, with its unit. → "71.8 %", "2.31 nats" */
export function formatMetric(quality: QualityReport, value: number | null): string {
  if (value === null) return unknown;
  const { unit } = metricOf(quality.metric);
  if (unit === "share") return formatPercent(value, quality.samples);
  if (unit === "decibels") return formatDecibels(value);
  return unit === "nats" ? `${formatNumber(value)} nats` : formatNumber(value);
}

/**
 * The change from float to quantized, signed as the metric moves, with its margin where that can be known.
 * → "−0.9 ± 1.8 points", "+0.0960 nats"
 */
export function formatChange(quality: QualityReport): string {
  const { drop } = quality;
  if (drop === null) return unknown;
  const { unit, better } = metricOf(quality.metric);
  const change = better === "higher" ? -drop : drop;
  if (unit === "share") return formatPoints(change, quality.samples, marginOf(quality));
  const size = formatLoss(quality, change);
  return change > 0 ? `+${size}` : size;
}

/** The size of a loss in the metric's unit, without a sign. → "0.6 points", "0.0960 nats" */
export function formatLoss(quality: QualityReport, loss: number): string {
  const { unit } = metricOf(quality.metric);
  if (unit === "share") return formatPoints(loss, quality.samples).replace("+", "");
  return unit === "decibels" ? formatDecibels(loss) : `${formatNumber(loss)}${unit === "nats" ? " nats" : ""}`;
}

/** How far the drop can be off (95 %), where that can be known: top-1 with its agreement. */
export function marginOf(quality: QualityReport): number | null {
  const { metric, drop, agreement, samples } = quality;
  return metric === "top1" && drop !== null && agreement !== null ? dropMargin(drop, agreement, samples) : null;
}

/** Made-up inputs measure that a model runs, not that it is right. */
export function isRandom(quality: Pick<QualityReport, "data">): boolean {
  return /^random\b/i.test(quality.data);
}
