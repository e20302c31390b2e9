/** Where each quantizer puts its levels: a tensor's histogram, and under it a row of ticks for each scheme. */
import { bottomAxis, bottomAxisHeight } from "#report/charts/axis";
import { extent, linearScale, niceTicks, type Scale } from "#report/charts/scale";
import { type ChartOptions, type Drawing, svg } from "#report/charts/svg";
import { small, textAt } from "#report/charts/textAt";
import { ellipsis, fullName } from "#report/ellipsis";
import { formatCount, formatDecibels, formatNumber, plural } from "#report/format";
import { type Markup, markup, nothing } from "#report/markup";
import type { Table } from "#report/table";
import type { HistogramReport, QuantizerComparison } from "#report/types";
import { visible } from "#report/visible";

type Drawn = NonNullable<QuantizerComparison["tensor"]>;

/** Rows in the order of their bits. Of more than 24 schemes those stay that come nearest to 6.02 dB a bit; the rest is a table's. */
export function quantizerLevels({ histogram, quantizers }: Drawn, options: ChartOptions = {}): string {
  const yieldOf = (row: Drawn["quantizers"][number]): number => row.sqnrDb - 6.02 * row.bitsPerWeight;
  const rows = [...quantizers]
    .sort((a, b) => yieldOf(b) - yieldOf(a))
    .slice(0, mostRows)
    .sort((a, b) => a.bitsPerWeight - b.bitsPerWeight || b.sqnrDb - a.sqnrDb);
  const total = histogram.counts.reduce((sum, count) => sum + count, 0);
  const words = {
    title: ellipsis(visible(fullName(histogram.tensor)), (options.width ?? 720) < 480 ? 34 : 72),
    subtitle: `${formatCount(total)} weights, and the values that each scheme can make of them; right: stored bits per weight and SQNR.`,
    description: rows
      .map((row) => `${row.scheme}: ${plural(row.levels.length, "level")}, ${formatDecibels(row.sqnrDb)}.`)
      .join(" "),
  };
  return svg(words, options, (width) =>
    total === 0 || rows.length === 0 ? { height: 0, body: nothing } : plot(histogram, rows, width),
  );
}

export function quantizerLevelsTable({ quantizers }: Drawn): Table {
  return {
    columns: [
      { name: "Scheme" },
      { name: "Bits per weight", align: "right" },
      { name: "SQNR", align: "right" },
      { name: "Values in use", align: "right" },
    ],
    rows: quantizers.map(({ scheme, bitsPerWeight, sqnrDb, levels }) => [
      scheme,
      formatNumber(bitsPerWeight),
      formatDecibels(sqnrDb),
      levels.length === 512 ? "512 or more" : String(levels.length),
    ]),
  };
}

const mostRows = 24;
const plotHeight = 90;
const rowHeight = 17;

function plot(histogram: HistogramReport, rows: Drawn["quantizers"], width: number): Drawing {
  const narrow = width < 480;
  const left = narrow ? 92 : 150;
  const right = width - (narrow ? 66 : 104);
  const { low, width: binWidth, counts } = histogram;
  const domain = extent([], low, low + binWidth * counts.length);
  const x = linearScale(domain.low, domain.high, left, right);
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  const y = linearScale(0, most, plotHeight, 4);
  const outline = counts.map((count, i) => {
    const top = count === 0 ? plotHeight : Math.min(y(count), plotHeight - 2);
    return markup`V${top}H${x(low + (i + 1) * binWidth)}`;
  });
  const bottom = plotHeight + rows.length * rowHeight + 4;
  const ticks = { ticks: niceTicks(domain.low, domain.high, narrow ? 3 : 6), format: formatNumber, scale: x };
  const body = markup`<path class="lb-float" d="M${x(low)} ${plotHeight}${outline}V${plotHeight}"/>
${bottomAxis(ticks, plotHeight, bottom, left, right, "value")}
${rows.map((row, i) => levelRow(row, plotHeight + i * rowHeight, { x, left, right, width, narrow }))}`;
  return { height: bottom + bottomAxisHeight, body };
}

interface Frame {
  readonly x: Scale;
  readonly left: number;
  readonly right: number;
  readonly width: number;
  readonly narrow: boolean;
}

function levelRow(row: Drawn["quantizers"][number], top: number, { x, left, right, width, narrow }: Frame): Markup {
  const baseline = top + 13;
  // levels nearer than three pixels are a band
  const bands: [from: number, to: number][] = [];
  for (const at of row.levels.map(x)) {
    if (at < left - 0.5 || at > right + 0.5) continue;
    const last = bands.at(-1);
    if (last !== undefined && at - last[1] < 3) last[1] = at;
    else bands.push([at, at]);
  }
  const high = rowHeight - 6;
  const lines = bands.filter(([from, to]) => from === to).map(([at]) => markup`M${at} ${top + 4}v${high}`);
  const filled = bands
    .filter(([from, to]) => from < to)
    .map(([from, to]) => markup`M${from} ${top + 4}H${to}v${high}H${from}z`);
  const name = ellipsis(visible(row.scheme), narrow ? 14 : 24);
  const facts = narrow
    ? formatDecibels(row.sqnrDb)
    : `${formatNumber(row.bitsPerWeight)} b  ${formatDecibels(row.sqnrDb)}`;
  return markup`${textAt(left - 6, baseline, name, { kind: small, anchor: "end" })}
<path class="lb-quantized-line" stroke-width="0.8" d="${lines}"/><path class="lb-quantized" d="${filled}"/>
${textAt(width, baseline, facts, { kind: small, anchor: "end" })}`;
}
