/** Is it still right? Float against quantized, with what the number of samples leaves open. */
import { type BarRow, barRows } from "#report/charts/barRows";
import { type ChartOptions, svg } from "#report/charts/svg";
import { formatCount, formatNumber, formatPercent, plural } from "#report/format";
import { type Interval, wilsonInterval } from "#report/interval";
import { formatChange, formatMetric, isRandom, metricOf } from "#report/metric";
import type { Table } from "#report/table";
import type { QualityReport } from "#report/types";

/**
 * The metric of both models and their agreement as bars from zero. Shares have 95 % Wilson intervals and an axis to
 * 100 %, so that a small loss looks small.
 */
export function accuracyBars(quality: QualityReport, options: ChartOptions = {}): string {
  const metric = metricOf(quality.metric);
  const shares = metric.unit === "share";
  const rows = values(quality).map(({ name, value, share, role }): BarRow => {
    const interval = share ? wilsonInterval(value, quality.samples) : undefined;
    const text = share ? formatPercent(value, quality.samples) : formatMetric(quality, value);
    const between = interval === undefined ? "" : `, 95 % between ${formatInterval(interval, quality.samples)}`;
    return { name, bars: [{ value, role, interval }], label: text, hover: `${name}: ${text}${between}` };
  });
  const change = quality.drop === null ? "" : `: ${formatChange(quality)}`;
  const words = {
    title: `${metric.name[0].toUpperCase()}${metric.name.slice(1)}`,
    subtitle: [
      isRandom(quality)
        ? `On ${plural(quality.samples, "random input")}: says that the model runs, not that it is right.`
        : `On ${plural(quality.samples, "sample")} of ${quality.data}${change}.`,
      ...(shares ? ["Whiskers are 95 % intervals."] : []),
    ].join(" "),
    description: rows.map((row) => `${row.hover}.`).join(" "),
  };
  const format = shares ? (value: number) => formatPercent(value, 1) : formatNumber;
  const axisTitle = shares
    ? `share of ${formatCount(quality.samples)} samples`
    : `${metric.name}${metric.unit === "number" ? "" : `, ${metric.unit}`} (${metric.better} is better)`;
  return svg(words, options, (width) =>
    barRows(rows, width, { ...(shares ? { max: 1 } : {}), thickness: 18, format, axisTitle }),
  );
}

export function accuracyBarsTable(quality: QualityReport): Table {
  return {
    columns: [{ name: "" }, { name: "Value", align: "right" }, { name: "95 % interval", align: "right" }],
    rows: values(quality).map(({ name, value, share }) => [
      name,
      share ? formatPercent(value, quality.samples) : formatMetric(quality, value),
      share ? formatInterval(wilsonInterval(value, quality.samples), quality.samples) : "",
    ]),
  };
}

interface Value {
  readonly name: string;
  readonly value: number;
  readonly share: boolean;
  readonly role: "float" | "quantized" | "good";
}

function values(quality: QualityReport): Value[] {
  const share = metricOf(quality.metric).unit === "share";
  const found: Value[] = [];
  if (quality.float !== null) found.push({ name: "float", value: quality.float, share, role: "float" });
  if (quality.quantized !== null) found.push({ name: "quantized", value: quality.quantized, share, role: "quantized" });
  // a bar of its own where it has the same axis
  if (quality.agreement !== null && quality.metric !== "agreement" && share)
    found.push({ name: "same answer", value: quality.agreement, share, role: "good" });
  return found;
}

function formatInterval({ low, high }: Interval, samples: number): string {
  return `${formatPercent(low, samples).replace(" %", "")}–${formatPercent(high, samples)}`;
}
