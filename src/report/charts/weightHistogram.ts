/** How well the grid fits the values: the histogram of a tensor over the levels that its codes can stand for. */
import { bottomAxis, bottomAxisHeight, leftAxis } from "#report/charts/axis";
import { decades, extent, linearScale, log10, niceTicks, type Scale } from "#report/charts/scale";
import { type ChartOptions, type Drawing, svg } from "#report/charts/svg";
import { small, textAt } from "#report/charts/textAt";
import { ellipsis, fullName } from "#report/ellipsis";
import { formatCount, formatNumber, formatPercent, formatShare, plural } from "#report/format";
import { type Markup, markup, nothing } from "#report/markup";
import type { Table } from "#report/table";
import type { HistogramReport } from "#report/types";
import { visible } from "#report/visible";

export interface WeightHistogramOptions extends ChartOptions {
  /** Counts on a logarithmic axis, for tails. Default false; a bin with one value is visible either way. */
  readonly log?: boolean;
}

/**
 * Bins as a silhouette, levels as ticks under it; what lies outside the levels is clipped, and drawn in another
 * colour.
 */
export function weightHistogram(histogram: HistogramReport, options: WeightHistogramOptions = {}): string {
  const { tensor, scheme, levels } = histogram;
  const facts = describe(histogram);
  const words = {
    title: ellipsis(visible(fullName(tensor)), (options.width ?? 720) < 480 ? 34 : 72),
    subtitle: facts,
    description: `Histogram of ${fullName(tensor)}, ${scheme}. ${facts}`,
  };
  const total = histogram.counts.reduce((sum, count) => sum + count, 0);
  const drawn = total > 0 && Number.isFinite(histogram.low) && histogram.width > 0 && levels.every(Number.isFinite);
  return svg(words, options, (width) =>
    drawn ? plot(histogram, width, options.log ?? false) : { height: 0, body: nothing },
  );
}

export function weightHistogramTable({ low, width, counts }: HistogramReport): Table {
  return {
    columns: [
      { name: "From", align: "right" },
      { name: "To", align: "right" },
      { name: "Values", align: "right" },
    ],
    rows: counts.map((count, i) => [
      formatNumber(low + i * width),
      formatNumber(low + (i + 1) * width),
      formatCount(count),
    ]),
  };
}

const plotHeight = 150;
const rug = 12;

function plot(histogram: HistogramReport, width: number, log: boolean): Drawing {
  const { low, width: binWidth, counts, levels } = histogram;
  const left = 46;
  const right = width - 8;
  const top = 20;
  const bottom = top + plotHeight;
  const domain = extent(levels, low, low + binWidth * counts.length);
  const x = linearScale(domain.low, domain.high, left, right);
  const most = counts.reduce((a, b) => Math.max(a, b), 2);
  const y = log ? linearScale(log10(0.5), log10(most), bottom, top) : linearScale(0, most, bottom, top);
  const at: Scale = (count) => y(log ? log10(count) : count);
  const isClipped = clippedBy(levels);
  // a hundred thousand bins would not be seen: at most one bar a pixel, as high as its highest bin
  const each = Math.max(1, Math.ceil(counts.length / (right - left)));
  const bars = Array.from({ length: Math.ceil(counts.length / each) }, (_, i): Bar => {
    const group = counts.slice(i * each, (i + 1) * each);
    const from = low + i * each * binWidth;
    const to = low + Math.min((i + 1) * each, counts.length) * binWidth;
    const count = group.reduce((a, b) => Math.max(a, b), 0);
    // one value among a million is three pixels high: outliers are what the picture is for
    const height = count > 0 ? Math.min(at(count), bottom - 3) : bottom;
    return { from: x(from), to: x(to), top: height, clipped: isClipped((from + to) / 2) };
  });
  const counted = { ticks: log ? decades(1, most) : niceTicks(0, most, 4), format: formatCount, scale: at };
  const valued = { ticks: niceTicks(domain.low, domain.high, width < 480 ? 4 : 7), format: formatNumber, scale: x };
  const title = levels.length === 0 ? "value" : "value; the ticks are the grid's levels";
  const body = markup`${textAt(0, 8, `values in a bin${log ? " (logarithmic)" : ""}`, { kind: small })}
${leftAxis(counted, left, right)}
${levelLines(levels, x, levels.length <= 17 ? top : bottom + 2, bottom + rug - 2)}
<path class="lb-quantized" d="${silhouette(bars, bottom, false)}"/>
<path class="lb-worst" d="${silhouette(bars, bottom, true)}"/>
${bottomAxis(valued, bottom, bottom + rug, left, right, title)}`;
  return { height: bottom + rug + bottomAxisHeight, body };
}

interface Bar {
  readonly from: number;
  readonly to: number;
  readonly top: number;
  readonly clipped: boolean;
}

/** The outline of the bars of a kind; neighbours share a line. */
function silhouette(bars: readonly Bar[], bottom: number, clipped: boolean): Markup {
  let pen = Number.NaN;
  const outline = bars
    .filter((bar) => bar.clipped === clipped && bar.top < bottom)
    .map(({ from, to, top }) => {
      const start = from === pen ? nothing : markup`${Number.isNaN(pen) ? "" : `V${bottom}`}M${from} ${bottom}`;
      // a bin thinner than a pixel is drawn wider, or an outlier would fade away
      pen = Math.max(to, from + 1.5);
      return markup`${start}V${top}H${pen}`;
    });
  return outline.length === 0 ? nothing : markup`${outline}V${bottom}`;
}

function levelLines(levels: readonly number[], x: Scale, top: number, bottom: number): Markup {
  const d = levels.map((level) => markup`M${x(level)} ${top}V${bottom}`);
  return markup`<path class="lb-muted-line" stroke-width="0.75" stroke-opacity="0.6" d="${d}"/>`;
}

function describe({ low, width, counts, levels, scheme }: HistogramReport): string {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return `${scheme}: no values.`;
  if (levels.length === 0) return `${scheme}; ${formatCount(total)} values.`;
  const grid = extent(levels);
  const isClipped = clippedBy(levels);
  const outside = counts.reduce((sum, count, i) => sum + (isClipped(low + (i + 0.5) * width) ? count : 0), 0);
  const used = (centralBins(counts, total) * width) / (grid.high - grid.low);
  return [
    `${scheme}: ${plural(levels.length, "level")} from ${formatNumber(grid.low)} to ${formatNumber(grid.high)}.`,
    ...(outside > 0 ? [`${formatShare(outside / total)} of the values are clipped.`] : []),
    ...(used < 0.5 ? [`99.9 % of the values use ${formatPercent(used, 100)} of the range.`] : []),
  ].join(" ");
}

/** Whether a value lies farther outside the levels than rounding reaches: half the gap at that end. */
function clippedBy(levels: readonly number[]): (value: number) => boolean {
  if (levels.length < 2) return () => false;
  const sorted = [...levels].sort((a, b) => a - b);
  const low = sorted[0] - (sorted[1] - sorted[0]) / 2;
  const high = sorted.at(-1)! + (sorted.at(-1)! - sorted.at(-2)!) / 2;
  return (value) => value < low || value > high;
}

/** Bins that the middle 99.9 % of the values need. */
function centralBins(counts: readonly number[], total: number): number {
  const tail = total * 0.0005;
  const reach = (from: number, step: number): number => {
    let i = from;
    let passed = 0;
    while (i >= 0 && i < counts.length && passed + counts[i] <= tail) {
      passed += counts[i];
      i += step;
    }
    return i;
  };
  return reach(counts.length - 1, -1) - reach(0, 1) + 1;
}
