/** How much each bit buys: stored bits per weight against error, a mark for each scheme. */
import { bottomAxis, bottomAxisHeight, leftAxis } from "#report/charts/axis";
import { type LabelRequest, placeLabels } from "#report/charts/placeLabels";
import { extent, linearScale, niceTicks } from "#report/charts/scale";
import { type ChartOptions, type Drawing, svg } from "#report/charts/svg";
import { small, textAt } from "#report/charts/textAt";
import { textWidth } from "#report/charts/textWidth";
import { paretoFront } from "#report/compareQuantizers";
import { ellipsis } from "#report/ellipsis";
import { formatCount, formatDecibels, formatNumber, plural } from "#report/format";
import { type Markup, markup, nothing } from "#report/markup";
import type { Table } from "#report/table";
import type { QuantizerComparison, QuantizerRow } from "#report/types";
import { visible } from "#report/visible";

/** Schemes of more bits are in the table only: those of few bits would stand too close together. */
const mostBits = 10;

type Judged = QuantizerRow & { readonly bitsPerWeight: number; readonly sqnrDb: number };

/**
 * Marks by decoding (circle: affine, square: lookup, diamond: codebook, triangle: ggml), and a line through those that no other
 * beats. The dotted line is what a Gaussian source needs at the least, 6.02 dB a bit (Shannon 1959).
 */
export function rateDistortion(comparison: QuantizerComparison, options: ChartOptions = {}): string {
  const rows = judged(comparison.rows);
  const front = paretoFront(rows);
  const best = [...front].map(
    (row) => `${row.scheme} ${formatNumber(row.bitsPerWeight)} bits ${formatDecibels(row.sqnrDb)}`,
  );
  const words = {
    title: "What each bit buys",
    subtitle:
      rows.length === 0
        ? "No scheme fits these weights."
        : `${plural(rows.length, "scheme")} on ${formatCount(comparison.weights)} weights of ${plural(comparison.layers.length, "tensor")}: stored bits, scales and codebooks counted, against error. On the line: what no other beats.`,
    description: `Schemes that no other beats: ${best.join("; ")}.`,
  };
  return svg(words, options, (width) => (rows.length === 0 ? { height: 0, body: nothing } : plot(rows, front, width)));
}

export function rateDistortionTable({ rows }: QuantizerComparison): Table {
  return {
    columns: [
      { name: "Scheme" },
      { name: "Bits per weight", align: "right" },
      { name: "Nominal", align: "right" },
      { name: "SQNR", align: "right" },
      { name: "Does not fit", align: "right" },
    ],
    rows: rows.map((row) => [
      row.scheme,
      row.bitsPerWeight === null ? "" : formatNumber(row.bitsPerWeight),
      formatNumber(row.nominalBits),
      formatDecibels(row.sqnrDb),
      row.skipped === 0 ? "" : plural(row.skipped, "tensor"),
    ]),
  };
}

function judged(rows: readonly QuantizerRow[]): Judged[] {
  return rows.filter((row): row is Judged => {
    const { bitsPerWeight, sqnrDb } = row;
    return bitsPerWeight !== null && bitsPerWeight <= mostBits && sqnrDb !== null && Number.isFinite(sqnrDb);
  });
}

const plotHeight = 300;

function plot(rows: readonly Judged[], front: ReadonlySet<QuantizerRow>, width: number): Drawing {
  const left = 36;
  const right = width - 12;
  const top = 40;
  const bottom = top + plotHeight;
  const bits = extent(
    rows.map((row) => row.bitsPerWeight),
    0,
  );
  const db = extent(
    rows.map((row) => row.sqnrDb),
    0,
  );
  const x = linearScale(0, bits.high, left, right - 4);
  const y = linearScale(Math.max(-10, db.low), db.high, bottom, top + 6);
  const marks = rows
    .map((row) => ({
      row,
      x: x(row.bitsPerWeight),
      y: y(Math.max(-10, row.sqnrDb)),
      best: front.has(row),
    }))
    .sort((a, b) => Number(a.best) - Number(b.best) || a.x - b.x);
  const line = marks.filter((mark) => mark.best);
  const end = Math.min(bits.high, db.high / decibelsPerBit);
  const body = markup`${key(rows)}
${textAt(0, top - 8, "SQNR, dB (higher is better)", { kind: small })}
${leftAxis({ ticks: niceTicks(Math.max(-10, db.low), db.high, 6), format: String, scale: y }, left, right)}
${bottomAxis({ ticks: niceTicks(0, bits.high, width < 480 ? 5 : 9), format: String, scale: x }, top, bottom, left, right, "stored bits per weight")}
<line class="lb-muted-line" stroke-dasharray="2 3" x1="${x(0)}" y1="${y(0)}" x2="${x(end)}" y2="${y(end * decibelsPerBit)}"/>
${line.length < 2 ? nothing : markup`<path class="lb-good-line" stroke-width="1.25" d="${line.map((mark, i) => markup`${i === 0 ? "M" : "L"}${mark.x} ${mark.y}`)}"/>`}
${marks.map(({ row, x: cx, y: cy, best }) => markup`<g class="${best ? "lb-good" : "lb-quantized"}"><title>${hover(row)}</title>${mark(row.decoding, cx, cy)}</g>`)}
${labels(marks, { left: left + 2, right, top, bottom })}`;
  return { height: bottom + bottomAxisHeight, body };
}

/** 20·log₁₀ 2: the rate–distortion function of a Gaussian source. */
const decibelsPerBit = 6.0206;

interface Mark {
  readonly row: Judged;
  readonly x: number;
  readonly y: number;
  readonly best: boolean;
}

/** Names where there is room, those on the line first. */
function labels(marks: readonly Mark[], room: { left: number; right: number; top: number; bottom: number }): Markup {
  const ordered = [...marks].sort((a, b) => Number(b.best) - Number(a.best) || b.y - a.y);
  const texts = ordered.map(({ row }) => ellipsis(visible(row.scheme), 26));
  const requests = ordered.map(({ x, y }, i): LabelRequest => ({ x, y, width: textWidth(texts[i], 11) }));
  const obstacles = marks.map(({ x, y }) => ({ left: x - 4, right: x + 4, top: y - 4, bottom: y + 4 }));
  return markup`${placeLabels(requests, obstacles, room).map((place, i) => {
    if (place === undefined) return nothing;
    const { x, y, best } = ordered[i];
    const leader = place.leader
      ? markup`<line class="lb-grid-line" x1="${x}" x2="${x}" y1="${y + 5}" y2="${place.y - 11}"/>`
      : nothing;
    return markup`${leader}${textAt(place.x, place.y, texts[i], { kind: best ? "lb-small lb-halo" : `${small} lb-halo` })}`;
  })}`;
}

const names: Readonly<Record<string, string>> = {
  affine: "linear",
  lookup: "table",
  codebook: "codebook",
  ggml: "ggml blocks",
};

function key(rows: readonly Judged[]): Markup {
  const present = Object.keys(names).filter((kind) => rows.some(({ decoding }) => decoding === kind));
  let at = 4;
  return markup`${present.map((kind) => {
    const x = at;
    at += 18 + textWidth(names[kind], 11) + 14;
    return markup`<g class="lb-quantized">${mark(kind, x, 8)}</g>${textAt(x + 10, 12, names[kind], { kind: small })}`;
  })}`;
}

function mark(kind: string, x: number, y: number): Markup {
  switch (kind) {
    case "lookup":
      return markup`<rect x="${x - 3.5}" y="${y - 3.5}" width="7" height="7"/>`;
    case "codebook":
      return markup`<path d="M${x} ${y - 5}L${x + 5} ${y}L${x} ${y + 5}L${x - 5} ${y}z"/>`;
    case "ggml":
      return markup`<path d="M${x} ${y - 5}L${x + 5} ${y + 4}L${x - 5} ${y + 4}z"/>`;
    default:
      return markup`<circle cx="${x}" cy="${y}" r="4"/>`;
  }
}

function hover(row: Judged): string {
  const skipped = row.skipped === 0 ? "" : `, does not fit ${plural(row.skipped, "tensor")}`;
  return `${row.scheme}: ${formatNumber(row.bitsPerWeight)} bits per weight, ${formatDecibels(row.sqnrDb)}${skipped}`;
}
