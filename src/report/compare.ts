/** Two reports side by side, as `lowbit compare` prints them: B is read against A. */
import { ansi } from "#report/ansi";
import { columns, wrap } from "#report/columns";
import { type ComparisonWords, compared, savingWords, sizeWords, speedWords } from "#report/comparison";
import { ellipsis } from "#report/ellipsis";
import {
  formatBytes,
  formatCount,
  formatDecibels,
  formatMilliJoule,
  formatMilliseconds,
  formatPercent,
  formatPoints,
  plural,
  unknown,
} from "#report/format";
import { formatChange, formatMetric, metricOf } from "#report/metric";
import { alignRows } from "#report/table";
import { section, type TextOptions } from "#report/text";
import type { LayerReport, QualityReport, Report, SpeedReport } from "#report/types";
import { visibleDeep } from "#report/visible";

/**
 * Figures of both, what B gained or lost, and the layers that changed most. What was not measured alike (other data,
 * another runtime) is shown but not subtracted, and named at the end.
 */
export function compareText(a: Report, b: Report, options: TextOptions = {}): string {
  const [left, right] = [visibleDeep(a), visibleDeep(b)];
  const paint = ansi(options.color ?? false);
  const width = Math.max(40, options.width ?? 80);
  const figures = alignRows({
    columns: [{ name: "" }, { name: "A", align: "right" }, { name: "B", align: "right" }, { name: "" }],
    rows: [["", "A", "B", "B against A"], ...figureRows(left, right)],
  });
  return [
    ...[left, right].map(({ output }, i) => `${paint.bold("AB"[i])}  ${ellipsis(output.path, width - 3, columns)}`),
    "",
    ...figures.map((line, i) => `  ${i === 0 ? paint.dim(line) : line}`),
    ...section(paint.bold("Layers that changed most"), layerLines(left.layers, right.layers, width)),
    ...section(
      paint.warn("Not measured alike:"),
      differences(left, right).flatMap((line) => wrap(line, width - 2).map((part) => `  ${part}`)),
    ),
    "",
  ].join("\n");
}

type Row = readonly [name: string, a: string, b: string, difference: string];

function figureRows(a: Report, b: Report): Row[] {
  const row = <T>(
    name: string,
    valueOf: (report: Report) => T | null,
    format: (value: T) => string,
    difference: (a: T, b: T) => string,
  ): Row[] => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === null && y === null) return [];
    const text = (value: T | null) => (value === null ? unknown : format(value));
    return [[name, text(x), text(y), x === null || y === null ? "" : difference(x, y)]];
  };
  const ratio =
    (words: ComparisonWords, alike = true) =>
    (x: number, y: number) =>
      alike ? compared(x / y, words) : "";
  const alike = sameData(a.quality, b.quality);
  const quality = (pick: (quality: QualityReport) => number | null) => (report: Report) =>
    report.quality === null ? null : pick(report.quality);
  const samples = Math.min(...[a, b].map((report) => report.quality?.samples ?? Number.POSITIVE_INFINITY));
  return [
    ...row("size", ({ size }) => size.outputBytes, formatBytes, ratio(sizeWords)),
    ...metricRow(a.quality, b.quality),
    ...row(
      "agreement",
      quality(({ agreement }) => agreement),
      (share) => formatPercent(share, samples),
      (x, y) => (alike ? formatPoints(y - x, samples) : ""),
    ),
    ...row(
      "output SQNR",
      quality(({ logitSqnrDb }) => logitSqnrDb),
      formatDecibels,
      (x, y) => (alike && Number.isFinite(y - x) ? `${y > x ? "+" : ""}${formatDecibels(y - x)}` : ""),
    ),
    ...row("speed", ({ speed }) => speed?.quantizedMs ?? null, formatMilliseconds, ratio(speedWords, sameClock(a, b))),
    ...row(
      "energy, modelled",
      ({ energy }) => energy?.quantizedMilliJoule ?? null,
      formatMilliJoule,
      ratio(savingWords, a.energy?.model === b.energy?.model),
    ),
    ...row(
      "memory",
      ({ memory }) => memory?.quantizedBytes ?? null,
      formatBytes,
      ratio(savingWords, a.memory?.what === b.memory?.what && a.memory?.label === b.memory?.label),
    ),
  ];
}

/** The metric of both, if it is one; else a row for each. */
function metricRow(a: QualityReport | null, b: QualityReport | null): Row[] {
  const text = (quality: QualityReport | null) =>
    quality === null ? unknown : formatMetric(quality, quality.quantized);
  if (a !== null && b !== null && a.metric !== b.metric)
    return [
      [metricOf(a.metric).short, text(a), unknown, ""],
      [metricOf(b.metric).short, unknown, text(b), ""],
    ];
  const known = a ?? b;
  if (known === null || (a?.quantized ?? b?.quantized ?? null) === null) return [];
  const change = (): string => {
    if (a?.quantized == null || b?.quantized == null || !sameData(a, b)) return "";
    const drop = metricOf(a.metric).better === "higher" ? a.quantized - b.quantized : b.quantized - a.quantized;
    // the margin that a report knows is about its own float model, not about another report
    return formatChange({ ...b, drop, agreement: null });
  };
  return [[metricOf(known.metric).short, text(a), text(b), change()]];
}

const layersShown = 8;

/** Layers of the same name whose scheme differs or whose SQNR moved by a decibel or more, largest move first. */
function layerLines(a: readonly LayerReport[], b: readonly LayerReport[], width: number): string[] {
  const before = new Map(a.map((layer) => [layer.name, layer]));
  const changed = b.flatMap((layer) => {
    const old = before.get(layer.name);
    if (old === undefined) return [];
    const move = old.sqnrDb === layer.sqnrDb ? 0 : Math.abs((layer.sqnrDb ?? Number.NaN) - (old.sqnrDb ?? Number.NaN));
    const size = Number.isNaN(move) ? Number.POSITIVE_INFINITY : move;
    return size >= 1 || old.weights !== layer.weights || old.activations !== layer.activations
      ? [{ old, layer, size }]
      : [];
  });
  const sorted = changed.sort((x, y) => (y.size > x.size ? 1 : y.size < x.size ? -1 : 0));
  const shown = sorted.slice(0, layersShown);
  const change = (from: string, to: string) => (from === to ? "" : `${from} → ${to}`);
  const lines = alignRows({
    columns: [{ name: "" }, { name: "", align: "right" }, { name: "" }],
    rows: shown.map(({ old, layer }) => [
      ellipsis(layer.name, Math.max(16, width - 50), columns),
      `${formatDecibels(old.sqnrDb)} → ${formatDecibels(layer.sqnrDb)}`,
      [change(old.weights, layer.weights), change(old.activations, layer.activations)].filter(Boolean).join(", "),
    ]),
  }).map((line) => `  ${line}`);
  const more = sorted.length - shown.length;
  return more > 0 ? [...lines, `  and ${formatCount(more)} more`] : lines;
}

function sameData(a: QualityReport | null, b: QualityReport | null): boolean {
  return a !== null && b !== null && a.metric === b.metric && a.data === b.data && a.samples === b.samples;
}

function sameClock({ speed: a }: Report, { speed: b }: Report): boolean {
  return a !== null && b !== null && a.runtime === b.runtime && a.threads === b.threads;
}

/** What keeps the figures from being compared, in words. */
function differences(a: Report, b: Report): string[] {
  const differ = (what: string, x: string, y: string) => (x === y ? [] : [`${what}: A ${x}, B ${y}`]);
  const dataOf = ({ metric, samples, data }: QualityReport) =>
    `${metricOf(metric).short} on ${formatCount(samples)} of ${data}`;
  const clockOf = ({ runtime, threads }: SpeedReport) => `${runtime}, ${plural(threads, "thread")}`;
  return [
    ...differ("float model (sha256)", a.input.sha256.slice(0, 12), b.input.sha256.slice(0, 12)),
    ...(a.quality === null || b.quality === null ? [] : differ("quality", dataOf(a.quality), dataOf(b.quality))),
    ...(a.speed === null || b.speed === null ? [] : differ("speed", clockOf(a.speed), clockOf(b.speed))),
    ...(a.energy === null || b.energy === null ? [] : differ("energy", a.energy.model, b.energy.model)),
    ...(a.memory === null || b.memory === null
      ? []
      : differ("memory", `${a.memory.label}, ${a.memory.what}`, `${b.memory.label}, ${b.memory.what}`)),
  ];
}
