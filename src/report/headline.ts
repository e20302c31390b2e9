/** The figures that a report is read for, once for terminal, page and Markdown. */
import { compared, isLess, savingWords, sizeWords, speedWords } from "#report/comparison";
import {
  formatBytes,
  formatDecibels,
  formatMilliJoule,
  formatMilliseconds,
  formatNumber,
  formatPercent,
  plural,
} from "#report/format";
import { formatChange, formatMetric, isRandom, metricOf } from "#report/metric";
import type { Label, QualityReport, Report } from "#report/types";

export interface HeadlineFigure {
  readonly name: string;
  /** What it was and what it is; `before` is "" for a figure that has no float counterpart. */
  readonly before: string;
  readonly after: string;
  /** "3.80× smaller", or "" */
  readonly change: string;
  /** Measured or modelled: numbers of different kinds are never shown alike. */
  readonly label: Label;
  /** On what, with what. */
  readonly note: string;
  /** It got worse, or says nothing. */
  readonly alarm: boolean;
}

export function headline(report: Report): HeadlineFigure[] {
  const { quality } = report;
  return [
    sizeOf(report),
    ...(quality === null ? [] : qualityOf(quality)),
    ...speedOf(report),
    ...energyOf(report),
    ...memoryOf(report),
  ];
}

function sizeOf({ size }: Report): HeadlineFigure {
  const ratio = size.inputBytes / size.outputBytes;
  return {
    name: "size",
    before: formatBytes(size.inputBytes),
    after: formatBytes(size.outputBytes),
    change: compared(ratio, sizeWords),
    label: "measured",
    note: `on disk; ${formatBytes(size.entropyCodedBytes)} if entropy coded`,
    alarm: isLess(ratio),
  };
}

function qualityOf(quality: QualityReport): HeadlineFigure[] {
  const random = isRandom(quality);
  const on = random
    ? plural(quality.samples, "random input")
    : `${plural(quality.samples, "sample")} of ${quality.data}`;
  const plain = { before: "", change: "", label: "measured", alarm: random } as const;
  const figures: HeadlineFigure[] = [];
  if (quality.quantized !== null)
    figures.push({
      ...plain,
      name: metricOf(quality.metric).short,
      before: quality.float === null ? "" : formatMetric(quality, quality.float),
      after: formatMetric(quality, quality.quantized),
      change: quality.drop === null ? "" : formatChange(quality),
      note: on,
    });
  if (quality.perplexity !== undefined)
    figures.push({
      ...plain,
      name: "perplexity",
      before: formatNumber(quality.perplexity.float),
      after: formatNumber(quality.perplexity.quantized),
      note: on,
    });
  if (quality.agreement !== null && quality.metric !== "agreement")
    figures.push({
      ...plain,
      name: "agreement",
      after: formatPercent(quality.agreement, quality.samples),
      note: `same answer as float${quality.quantized === null ? `, ${on}` : ""}`,
    });
  if (quality.metric !== "sqnr")
    figures.push({
      ...plain,
      name: "output SQNR",
      after: formatDecibels(quality.logitSqnrDb),
      note: `outputs against float's${quality.quantized === null ? `, ${on}` : ""}`,
    });
  return figures;
}

function speedOf({ speed }: Report): HeadlineFigure[] {
  if (speed === null) return [];
  const most = Math.max(speed.floatMs, speed.quantizedMs);
  return [
    {
      name: "speed",
      before: formatMilliseconds(speed.floatMs, most),
      after: formatMilliseconds(speed.quantizedMs, most),
      change: compared(speed.speedup, speedWords),
      label: speed.label,
      note: `${speed.runtime}, ${plural(speed.threads, "thread")}`,
      alarm: isLess(speed.speedup),
    },
  ];
}

function energyOf({ energy }: Report): HeadlineFigure[] {
  if (energy === null) return [];
  const { floatMilliJoule, quantizedMilliJoule, label, model } = energy;
  const most = Math.max(floatMilliJoule, quantizedMilliJoule);
  return [
    {
      name: "energy",
      before: formatMilliJoule(floatMilliJoule, most),
      after: formatMilliJoule(quantizedMilliJoule, most),
      change: compared(floatMilliJoule / quantizedMilliJoule, savingWords),
      label,
      note: model,
      alarm: isLess(floatMilliJoule / quantizedMilliJoule),
    },
  ];
}

function memoryOf({ memory }: Report): HeadlineFigure[] {
  if (memory === null) return [];
  const { floatBytes, quantizedBytes, label, what } = memory;
  return [
    {
      name: "memory",
      before: formatBytes(floatBytes),
      after: formatBytes(quantizedBytes),
      change: compared(floatBytes / quantizedBytes, savingWords),
      label,
      note: what,
      alarm: isLess(floatBytes / quantizedBytes),
    },
  ];
}
