/** The report in two plain sentences, for people who read nothing else. */
import { compared, isLess, sizeWords, speedWords } from "#report/comparison";
import { formatBytes, formatDecibels, formatPercent, plural } from "#report/format";
import { formatChange, formatLoss, formatMetric, isRandom, marginOf, metricOf } from "#report/metric";
import type { QualityReport, Report } from "#report/types";

/** → "3.80× smaller (14.0 MB → 3.68 MB) and 1.42× faster. Top-1 accuracy fell by 0.9 points …" */
export function verdict(report: Report): string {
  return [
    `${sizeAndSpeed(report)}.`,
    report.quality === null
      ? "Whether its answers are still right was not measured."
      : `${isRandom(report.quality) ? onRandomInputs(report.quality) : onData(report.quality)}.`,
  ].join(" ");
}

/** The verdict, and that there are warnings further down. */
export function verdictAbove(report: Report): string {
  const warnings = report.diagnostics.filter(({ level }) => level === "warning").length;
  return warnings === 0 ? verdict(report) : `${verdict(report)} ${plural(warnings, "warning")} below.`;
}

function sizeAndSpeed({ size, speed }: Report): string {
  const ratio = size.inputBytes / size.outputBytes;
  const sizes = `${formatBytes(size.inputBytes)} → ${formatBytes(size.outputBytes)}`;
  const smaller = `${capital(compared(ratio, sizeWords))} (${sizes})`;
  if (speed === null) return `${smaller}; speed was not measured`;
  const faster = compared(speed.speedup, speedWords);
  return `${smaller} ${isLess(ratio) === isLess(speed.speedup) ? "and" : "but"} ${faster === speedWords.same ? "as fast as float" : faster}`;
}

function onRandomInputs(quality: QualityReport): string {
  const { agreement, samples, logitSqnrDb } = quality;
  const result =
    agreement === null
      ? `Its outputs match to ${formatDecibels(logitSqnrDb)}`
      : `It gives the float model's answer in ${formatPercent(agreement, samples)}`;
  return `${result} of ${plural(samples, "random input")}, which shows that it runs, not that it is right`;
}

function onData(quality: QualityReport): string {
  const { drop, float, quantized, samples, agreement, logitSqnrDb, data } = quality;
  const metric = metricOf(quality.metric);
  const on = `${plural(samples, "sample")} of ${data}`;
  if (drop === null || float === null || quantized === null) {
    if (agreement !== null) return `It gives the float model's answer in ${formatPercent(agreement, samples)} of ${on}`;
    return `Its outputs match the float model's to ${formatDecibels(logitSqnrDb)} on ${on}`;
  }
  const name = capital(metric.name);
  const values = `${formatMetric(quality, float)} → ${formatMetric(quality, quantized)}, ${on}`;
  if (metric.unit !== "share") return `${name} changed by ${formatChange(quality)} (${values})`;
  const size = formatLoss(quality, Math.abs(drop));
  if (!/[1-9]/.test(size)) return `${name} is unchanged (${values})`;
  const margin = marginOf(quality);
  const unsure =
    margin !== null && Math.abs(drop) <= margin
      ? `, which is within what ${plural(samples, "sample")} can tell apart from no change`
      : "";
  if (quantized < float / 2) return `${name} fell by ${size} (${values}): most of what the model could do is lost`;
  return `${name} ${drop > 0 ? "fell" : "rose"} by ${size} (${values})${unsure}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
