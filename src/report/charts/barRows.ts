/**
 * Rows of horizontal bars from zero: a name, bars over one another, and the figures as words at the end. Two bars in
 * a row are read like a bullet graph (Stephen Few, 2006): the grey one is the float model, the coloured one what
 * became of it.
 */
import { bottomAxis, bottomAxisHeight } from "#report/charts/axis";
import type { Role } from "#report/charts/palette";
import { linearScale, niceTicks, type Scale } from "#report/charts/scale";
import type { Drawing } from "#report/charts/svg";
import { textAt } from "#report/charts/textAt";
import { textWidth } from "#report/charts/textWidth";
import { ellipsis } from "#report/ellipsis";
import type { Interval } from "#report/interval";
import { type Markup, markup, nothing } from "#report/markup";
import { visible } from "#report/visible";

export interface Bar {
  readonly value: number;
  readonly role: Role;
  /** Drawn as a whisker. */
  readonly interval?: Interval;
  /** A number from a model of the hardware: drawn hollow. */
  readonly modelled?: boolean;
}

export interface BarRow {
  readonly name: string;
  readonly bars: readonly Bar[];
  /** The figures, at the end of the row. */
  readonly label: string;
  /** Why the row stands out; its label is drawn in the colour of `worst`. */
  readonly alarm?: boolean;
  /** Everything about the row, shown when pointed at. */
  readonly hover: string;
}

export interface BarRowsOptions {
  /** The end of the axis. Default the largest bar or interval. */
  readonly max?: number;
  /** Height of a bar in pixels. Default 14. */
  readonly thickness?: number;
  readonly format: (value: number) => string;
  readonly axisTitle: string;
}

export function barRows(rows: readonly BarRow[], width: number, options: BarRowsOptions): Drawing {
  const { thickness = 14, format, axisTitle } = options;
  const stacked = width < 480;
  const names = rows.map((row) => ellipsis(visible(row.name === "" ? "(no name)" : row.name), 40));
  const nameWidth = stacked ? 0 : Math.min(0.36 * width, Math.max(0, ...names.map((name) => textWidth(name))) + 13);
  const labelWidth = stacked ? 0 : Math.max(0, ...rows.map((row) => labelWidthOf(row))) + 10;
  const left = nameWidth;
  const right = Math.max(left + 80, width - labelWidth);
  const ends = rows.flatMap((row) => row.bars.flatMap((bar) => [finite(bar.value), bar.interval?.high ?? 0]));
  const max = options.max ?? Math.max(0, ...ends);
  const scale = linearScale(0, max > 0 ? max : 1, left, right);
  const step = stacked ? thickness + 30 : thickness + 10;
  const bottom = rows.length * step;

  const drawRow = (row: BarRow, i: number): Markup => {
    const y = i * step + (stacked ? 20 : 5);
    const label = row.alarm === true ? "lb-worst lb-strong" : "lb-ink";
    const end = Math.max(
      left,
      ...row.bars.flatMap((bar) => [scale(finite(bar.value)), scale(bar.interval?.high ?? 0)]),
    );
    const middle = y + thickness / 2 + 4;
    const name = ellipsis(names[i], (stacked ? width - labelWidthOf(row) : nameWidth) - 12, textWidth);
    const words = stacked
      ? [textAt(0, y - 6, name), textAt(width, y - 6, row.label, { kind: label, anchor: "end" })]
      : [
          textAt(left - 12, middle, name, { anchor: "end" }),
          textAt(end + 8, middle, row.label, { kind: `${label} lb-halo` }),
        ];
    const bars = longestFirst(row.bars).map((bar) => drawBar(bar, scale, left, y, thickness));
    return markup`<g><title>${row.hover}</title>${bars}${words}</g>\n`;
  };
  // grid below bars below words
  const axis = bottomAxis(
    { ticks: niceTicks(0, max, stacked ? 4 : 5), format, scale },
    0,
    bottom,
    left,
    right,
    axisTitle,
  );
  return {
    height: bottom + bottomAxisHeight,
    body: markup`${axis}
${rows.map(drawRow)}`,
  };
}

function drawBar(bar: Bar, scale: Scale, left: number, y: number, thickness: number): Markup {
  const value = finite(bar.value);
  // what is there can be seen, however small
  const length = value > 0 ? Math.max(1, scale(value) - left) : 0;
  const kind = bar.modelled === true ? `lb-${bar.role} lb-modelled` : `lb-${bar.role}`;
  const rect = markup`<rect class="${kind}" x="${left}" y="${y}" width="${length}" height="${thickness}" rx="1.5"/>`;
  if (bar.interval === undefined) return rect;
  const { low, high } = bar.interval;
  const middle = y + thickness / 2;
  const [from, to] = [scale(low), scale(high)];
  const whisker = markup`M${from} ${middle}H${to}M${from} ${middle - 4}v8M${to} ${middle - 4}v8`;
  return markup`${rect}<path class="lb-surface-line" stroke-width="3.5" stroke-opacity="0.6" d="${whisker}"/>
<path class="lb-ink-line" stroke-width="1.5" d="${whisker}"/>`;
}

/** The shorter bar lies on the longer one, so that both can be seen. */
function longestFirst(bars: readonly Bar[]): Bar[] {
  return [...bars].sort((a, b) => finite(b.value) - finite(a.value));
}

/** Bold letters are about a tenth wider. */
function labelWidthOf({ label, alarm }: BarRow): number {
  return textWidth(label, alarm === true ? 13.2 : 12);
}

/** A bar of nothing where there is no number: a picture of a broken report is still a picture. */
function finite(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}

/** A coloured square and a word, side by side: what the two bars of a row are. Takes 24 px of height. */
export function barKey(
  entries: readonly { readonly role: Role; readonly name: string; readonly modelled?: boolean }[],
): Markup {
  let x = 0;
  return markup`${entries.map(({ role, name, modelled }) => {
    const at = x;
    x += textWidth(name) + 34;
    const kind = modelled === true ? `lb-${role} lb-modelled` : `lb-${role}`;
    return markup`<rect class="${kind}" x="${at}" y="0" width="12" height="12" rx="1.5"/>${textAt(at + 18, 10, name)}`;
  })}`;
}

/** The drawing with its key above it. */
export function withKey(key: Markup, drawing: Drawing): Drawing {
  return {
    height: drawing.height + 26,
    body: markup`${key}<g transform="translate(0 26)">
${drawing.height > 0 ? drawing.body : nothing}</g>`,
  };
}
