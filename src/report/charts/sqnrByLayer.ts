/** Where the error comes from: each layer's signal-to-noise ratio, in graph order. */
import { bottomAxisHeight, leftAxis } from "#report/charts/axis";
import { type Box, type LabelRequest, placeLabels } from "#report/charts/placeLabels";
import { extent, linearScale, niceTicks } from "#report/charts/scale";
import { type ChartOptions, type Drawing, svg } from "#report/charts/svg";
import { small, textAt } from "#report/charts/textAt";
import { textWidth } from "#report/charts/textWidth";
import { ellipsis, fullName } from "#report/ellipsis";
import { formatCount, formatDecibels, formatShare, plural } from "#report/format";
import { type Markup, markup, nothing } from "#report/markup";
import type { Table } from "#report/table";
import type { LayerReport } from "#report/types";
import { visible } from "#report/visible";
import { audibleDb, causeInWords, isKeptFloat, worstLayers } from "#report/worstLayers";

export interface SqnrByLayerOptions extends ChartOptions {
  /** Lines across the plot, in dB. Default 10 and 20: noise of a tenth and of a hundredth of the signal's power. */
  readonly thresholds?: readonly number[];
  /** Layers labelled with their names, as far as there is room. Default 5. */
  readonly labels?: number;
  /** The model's drop (`quality.drop`), to rank layers by what each alone would give back. Default unknown: by SQNR. */
  readonly drop?: number | null;
}

/**
 * A mark for each layer with a measured SQNR. Layers with ∞ dB (exact) stand in a lane above the axis, those with −∞
 * dB or NaN in one below it. Where there are more layers than pixels can carry, a mark is the worst of its
 * neighbours.
 */
export function sqnrByLayer(layers: readonly LayerReport[], options: SqnrByLayerOptions = {}): string {
  const measured = layers.filter((layer) => layer.sqnrDb !== null);
  const worst = worstLayers(measured, options.drop).slice(0, options.labels ?? 5);
  const low = measured.filter(({ sqnrDb }) => !(sqnrDb! >= audibleDb)).length;
  const kept = layers.filter(isKeptFloat).length;
  const below =
    low === 0
      ? "no layer is"
      : `${formatCount(low)} of ${plural(measured.length, "layer")} ${low === 1 ? "is" : "are"}`;
  const words = {
    title: "Where the error comes from",
    subtitle:
      measured.length === 0
        ? "No layer was measured."
        : `SQNR of each layer's output against the float model's: ${below} below ${audibleDb} dB${kept === 0 ? "" : `; ${formatCount(kept)} kept float`}.`,
    description: worst.map((layer) => `${hoverOf(layer)}.`).join(" "),
  };
  return svg(words, options, (width) =>
    measured.length === 0 ? { height: 0, body: nothing } : plot(measured, worst, width, options.thresholds ?? [10, 20]),
  );
}

export function sqnrByLayerTable(layers: readonly LayerReport[]): Table {
  return {
    columns: [{ name: "Layer" }, { name: "Operator" }, { name: "Weights" }, { name: "SQNR", align: "right" }],
    rows: layers.map((layer) => [layer.name, layer.op, layer.weights, formatDecibels(layer.sqnrDb)]),
  };
}

interface Mark {
  readonly layer: LayerReport;
  readonly x: number;
  readonly y: number;
  readonly kind: keyof typeof shapes;
}

const plotHeight = 220;
const lane = 26;

function plot(
  layers: readonly LayerReport[],
  worst: readonly LayerReport[],
  width: number,
  thresholds: readonly number[],
): Drawing {
  const left = 36;
  const right = width - 76;
  const finite = layers.map(({ sqnrDb }) => sqnrDb!).filter(Number.isFinite);
  const exact = layers.some(({ sqnrDb }) => sqnrDb === Number.POSITIVE_INFINITY);
  const lost = layers.some(({ sqnrDb }) => isLost(sqnrDb!));
  const top = 40 + (exact ? lane : 0);
  const bottom = top + plotHeight;
  const { low, high } = extent(finite, 0, 1, ...thresholds);
  const y = linearScale(low, high, bottom, top + 6);
  const each = Math.ceil(layers.length / Math.max(1, Math.floor((right - left) / 4)));
  const count = Math.ceil(layers.length / each);
  const heightOf = (db: number) =>
    db === Number.POSITIVE_INFINITY ? top - lane + 8 : isLost(db) ? bottom + lane - 8 : y(db);
  const marks = Array.from({ length: count }, (_, i): Mark => {
    const layer = lowest(layers.slice(i * each, (i + 1) * each), worst);
    const kind = worst.includes(layer)
      ? "worst"
      : isKeptFloat(layer)
        ? "kept"
        : layer.weights === ""
          ? "plain"
          : "quantized";
    return { layer, x: left + ((i + 0.5) / count) * (right - left), y: heightOf(layer.sqnrDb!), kind };
  });
  const end = bottom + (lost ? lane : 0);
  const laneLabel = (text: string, at: number) => textAt(left - 6, at + 4, text, { kind: small, anchor: "end" });
  const lines = thresholds.flatMap((db) => thresholdBoxes(y(db), right, width));
  const order = `layers in graph order${each === 1 ? "" : `; a mark is the worst of ${formatCount(each)}`}`;
  const body = markup`${key(marks)}
${textAt(0, top - (exact ? lane : 0) - 8, "SQNR, dB (higher is better)", { kind: small })}
${exact ? laneLabel("∞", heightOf(Number.POSITIVE_INFINITY)) : nothing}${lost ? laneLabel("lost", heightOf(Number.NaN)) : nothing}
${leftAxis({ ticks: niceTicks(low, high, 5), format: String, scale: y }, left, right)}
${thresholds.map((db) => threshold(db, y(db), left, right))}
${marks.map(drawMark)}${labels(marks, worst, { left: 0, right: width, top, bottom: end }, lines)}
${textAt(left, end + 17, "first layer", { kind: small })}${textAt(right, end + 17, "last layer", { kind: small, anchor: "end" })}
${textAt(width, end + 33, order, { kind: small, anchor: "end" })}`;
  return { height: end + bottomAxisHeight, body };
}

function threshold(db: number, y: number, left: number, right: number): Markup {
  const words = textAt(right + 6, y + 4, `${formatShare(10 ** (-db / 10))} noise`, { kind: small });
  return markup`<line class="lb-muted-line" stroke-dasharray="4 3" x1="${left}" x2="${right}" y1="${y}" y2="${y}"/>${words}`;
}

/** Labels keep off the line, which their leaders may cross, and off its words. */
function thresholdBoxes(y: number, right: number, width: number): Box[] {
  return [
    { left: 0, right, top: y - 1, bottom: y + 1, crossable: true },
    { left: right, right: width, top: y - 7, bottom: y + 7 },
  ];
}

/** The worst layers' names where there is room, the very worst first. */
function labels(marks: readonly Mark[], worst: readonly LayerReport[], room: Box, lines: readonly Box[]): Markup {
  const named = worst.flatMap((layer) => marks.filter((mark) => mark.layer === layer));
  const texts = named.map(
    ({ layer }) =>
      `${ellipsis(visible(fullName(layer.name)), room.right < 480 ? 20 : 30)}  ${formatDecibels(layer.sqnrDb)}`,
  );
  const requests = named.map(({ x, y }, i): LabelRequest => ({ x, y, width: textWidth(texts[i], 11) }));
  const obstacles = marks.map(({ x, y }) => ({ left: x - 4, right: x + 4, top: y - 4, bottom: y + 4 }));
  const places = placeLabels(requests, [...obstacles, ...lines], room);
  return markup`${places.map((place, i) => {
    if (place === undefined) return nothing;
    const { x, y } = named[i];
    const leader = place.leader
      ? markup`<path class="lb-worst-line" stroke-width="0.75" d="M${x} ${y + 7}V${place.y - 10}"/>`
      : nothing;
    return [leader, textAt(place.x, place.y, texts[i], { kind: "lb-small lb-worst lb-halo" })];
  })}`;
}

const shapes = {
  quantized: {
    name: "quantized",
    draw: (x: number, y: number) => markup`<circle class="lb-quantized" cx="${x}" cy="${y}" r="3.5"/>`,
  },
  plain: {
    name: "without weights",
    draw: (x: number, y: number) => markup`<circle class="lb-float" cx="${x}" cy="${y}" r="2.5"/>`,
  },
  kept: {
    name: "kept float",
    draw: (x: number, y: number) =>
      markup`<rect class="lb-ink-line" stroke-width="1.5" x="${x - 3}" y="${y - 3}" width="6" height="6"/>`,
  },
  worst: {
    name: "worst",
    draw: (x: number, y: number) => markup`<path class="lb-worst" d="M${x} ${y - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>`,
  },
};

function drawMark({ layer, x, y, kind }: Mark): Markup {
  return markup`<g><title>${hoverOf(layer)}</title>${shapes[kind].draw(x, y)}</g>\n`;
}

/** The kinds of marks that occur, each once. */
function key(marks: readonly Mark[]): Markup {
  let x = 5;
  const present = Object.entries(shapes).filter(([kind]) => marks.some((mark) => mark.kind === kind));
  return markup`${present.map(([, { name, draw }]) => {
    const at = x;
    x += textWidth(name) + 32;
    return markup`${draw(at, 6)}${textAt(at + 10, 10, name)}`;
  })}`;
}

function hoverOf({ name, op, weights, sqnrDb, cause, fix }: LayerReport): string {
  const why = cause === undefined ? "" : `; ${causeInWords(cause)}`;
  return `${fullName(name)}: ${op} ${weights}, ${formatDecibels(sqnrDb)}${why}${fix === undefined ? "" : `; ${fix}`}`;
}

/** The layer that stands for a group: one of the worst, else the one with the least SQNR. */
function lowest(layers: readonly LayerReport[], worst: readonly LayerReport[]): LayerReport {
  const rank = (layer: LayerReport) => (isLost(layer.sqnrDb!) ? Number.NEGATIVE_INFINITY : layer.sqnrDb!);
  return layers.find((layer) => worst.includes(layer)) ?? layers.reduce((a, b) => (rank(b) < rank(a) ? b : a));
}

/** Nothing of the signal is left, or it is no number at all. */
function isLost(db: number): boolean {
  return Number.isNaN(db) || db === Number.NEGATIVE_INFINITY;
}
