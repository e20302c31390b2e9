/** How long a prediction takes, measured; and in which layers the time was won or lost. */
import { barKey, type BarRow, barRows, withKey } from "#report/charts/barRows";
import { type ChartOptions, type Drawing, svg } from "#report/charts/svg";
import { textAt } from "#report/charts/textAt";
import { compared, isLess, speedWords } from "#report/comparison";
import { fullName } from "#report/ellipsis";
import { formatCount, formatMilliseconds, formatRatio, plural } from "#report/format";
import { markup } from "#report/markup";
import type { Table } from "#report/table";
import type { LayerReport, SpeedReport } from "#report/types";

export interface LatencyBarsOptions extends ChartOptions {
  /** Layers shown, slowest first, if the report timed them. Default 8. */
  readonly top?: number;
}

/** Medians of both models; below, the slowest layers where they were timed. A layer that became slower is marked. */
export function latencyBars(
  speed: SpeedReport,
  layers: readonly LayerReport[] = [],
  options: LatencyBarsOptions = {},
): string {
  const most = Math.max(speed.floatMs, speed.quantizedMs);
  const whole: BarRow[] = [
    row("float", speed.floatMs, "float", formatMilliseconds(speed.floatMs, most), false),
    row(
      "quantized",
      speed.quantizedMs,
      "quantized",
      `${formatMilliseconds(speed.quantizedMs, most)}, ${compared(speed.speedup, speedWords)}`,
      isLess(speed.speedup),
    ),
  ];
  const timed = slowest(layers);
  const shown = timed.slice(0, options.top ?? 8);
  const parts = shown.map(
    ({ name, op, ms, weights }): BarRow => ({
      name,
      bars: [
        { value: ms.float, role: "float" },
        { value: ms.quantized, role: "quantized" },
      ],
      label: timesOf(ms),
      alarm: isLess(ms.float / ms.quantized),
      hover: `${fullName(name)}: ${op} ${weights}, ${timesOf(ms)}, ${compared(ms.float / ms.quantized, speedWords)}`,
    }),
  );
  const lost = timed.filter(({ ms }) => isLess(ms.float / ms.quantized)).length;
  const words = {
    title: "Time of one inference, measured",
    subtitle: [
      `Median of ${plural(speed.rounds, "round")} on ${speed.runtime}, ${plural(speed.threads, "thread")}.`,
      ...(lost === 0 ? [] : [`${plural(lost, "layer")} became slower.`]),
    ].join(" "),
    description: [...whole, ...parts].map((each) => `${each.hover}.`).join(" "),
  };
  return svg(words, options, (width) => {
    const like = (largest: number) => (value: number) => formatMilliseconds(value, largest);
    const top = barRows(whole, width, { thickness: 18, format: like(most), axisTitle: "median time of one inference" });
    if (parts.length === 0) return top;
    const key = barKey([
      { role: "float", name: "float" },
      { role: "quantized", name: "quantized" },
    ]);
    const count = shown.length === 1 ? "slowest layer" : plural(shown.length, "slowest layer");
    const heading = `The ${count}${timed.length > shown.length ? ` of ${formatCount(timed.length)}` : ""}`;
    const layerRows = barRows(parts, width, {
      thickness: 12,
      format: like(costOf(shown[0])),
      axisTitle: "time in the layer",
    });
    return below(top, withKey(key, layerRows), heading);
  });
}

export function latencyBarsTable(speed: SpeedReport, layers: readonly LayerReport[] = []): Table {
  const row = (name: string, float: number, quantized: number, speedup: number) => [
    name,
    formatMilliseconds(float),
    formatMilliseconds(quantized),
    formatRatio(speedup),
  ];
  return {
    columns: [
      { name: "Median" },
      { name: "Float", align: "right" },
      { name: "Quantized", align: "right" },
      { name: "Speed-up", align: "right" },
    ],
    rows: [
      row("whole model", speed.floatMs, speed.quantizedMs, speed.speedup),
      ...slowest(layers).map(({ name, ms }) => row(name, ms.float, ms.quantized, ms.float / ms.quantized)),
    ],
  };
}

function row(name: string, value: number, role: "float" | "quantized", label: string, alarm: boolean): BarRow {
  return { name, bars: [{ value, role }], label, alarm, hover: `${fullName(name)}: ${label}` };
}

type TimedLayer = LayerReport & { readonly ms: NonNullable<LayerReport["ms"]> };

function slowest(layers: readonly LayerReport[]): TimedLayer[] {
  return layers.filter((layer): layer is TimedLayer => layer.ms !== undefined).sort((a, b) => costOf(b) - costOf(a));
}

function costOf({ ms }: TimedLayer): number {
  return Math.max(ms.float, ms.quantized);
}

/** Both in one unit. */
function timesOf({ float, quantized }: TimedLayer["ms"]): string {
  const most = Math.max(float, quantized);
  return `${formatMilliseconds(float, most)} → ${formatMilliseconds(quantized, most)}`;
}

function below(top: Drawing, bottom: Drawing, heading: string): Drawing {
  const at = top.height + 38;
  return {
    height: at + bottom.height,
    body: markup`${top.body}
${textAt(0, top.height + 22, heading, { kind: "lb-strong" })}
<g transform="translate(0 ${at})">
${bottom.body}</g>`,
  };
}
