/** Axes: faint lines at round values, their labels, and a title with the unit. */
import type { Scale } from "#report/charts/scale";
import { small, textAt } from "#report/charts/textAt";
import { textWidth } from "#report/charts/textWidth";
import { type Markup, markup } from "#report/markup";

export interface AxisTicks {
  readonly ticks: readonly number[];
  readonly format: (value: number) => string;
  readonly scale: Scale;
}

/** Vertical grid lines from `top` to `bottom`, labels below, the title under them. Takes 38 px below `bottom`. */
export function bottomAxis(
  axis: AxisTicks,
  top: number,
  bottom: number,
  left: number,
  right: number,
  title: string,
): Markup {
  let free = Number.NEGATIVE_INFINITY;
  const marks = axis.ticks.map((tick) => {
    const x = axis.scale(tick);
    const label = short(axis.format(tick));
    const half = textWidth(label, 11) / 2;
    const centre = Math.min(Math.max(x, left + half), Math.max(left + half, right - half));
    const line = markup`<line class="lb-grid-line" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/>`;
    if (centre - half < free) return line; // a label without room is left out, its line stays
    free = centre + half + 6;
    return [line, textAt(centre, bottom + 15, label, { kind: small, anchor: "middle" })];
  });
  return markup`${marks}${textAt(right, bottom + 31, title, { kind: small, anchor: "end" })}`;
}

/** Height of what `bottomAxis` writes below the plot. */
export const bottomAxisHeight = 38;

/** Horizontal grid lines from `left` to `right`, labels left of them. */
export function leftAxis(axis: AxisTicks, left: number, right: number): Markup {
  return markup`${axis.ticks.map((tick) => {
    const y = axis.scale(tick);
    const line = markup`<line class="lb-grid-line" x1="${left}" x2="${right}" y1="${y}" y2="${y}"/>`;
    return [line, textAt(left - 6, y + 4, short(axis.format(tick)), { kind: small, anchor: "end" })];
  })}`;
}

/** Ticks are round, so their zeros after the point say nothing. → "5.00 MB" → "5 MB" */
function short(label: string): string {
  return label.replace(/(\.\d*?)0+(?!\d)/, "$1").replace(/\.(?!\d)/, "");
}
