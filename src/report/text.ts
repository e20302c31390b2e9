/** The report for a terminal: quiet, aligned, the figures first, and the next command to try last. */
import type { Diagnostic } from "#base/errors";
import { type Ansi, ansi } from "#report/ansi";
import { columns, pad, wrap } from "#report/columns";
import { ellipsis, fullMessage } from "#report/ellipsis";
import { formatCount, formatDecibels, formatDuration, plural } from "#report/format";
import { type HeadlineFigure, headline } from "#report/headline";
import { keptFloat } from "#report/layerGroups";
import { nextCommand } from "#report/nextCommand";
import { placeInWords } from "#report/place";
import { recipeName } from "#report/recipeName";
import type { LayerReport, QualityReport, Report } from "#report/types";
import { verdictAbove } from "#report/verdict";
import { visibleDeep } from "#report/visible";
import { causeInWords, costInWords, worstLayers } from "#report/worstLayers";

export interface TextOptions {
  /** Bold, dim and yellow by ANSI escape sequences. Default false: ask the terminal and NO_COLOR first. */
  readonly color?: boolean;
  /** Columns of the terminal. Default 80; at least 40. Commands and the longest words may stand out. */
  readonly width?: number;
}

/** Lines, each ended by a line feed. Control characters in names are shown as signs, so the text is safe to print. */
export function reportText(report: Report, options: TextOptions = {}): string {
  const safe = visibleDeep(report);
  const paint = ansi(options.color ?? false);
  const width = Math.max(40, options.width ?? 80);
  return [
    paint.bold(ellipsis(safe.output.path, width, columns)),
    ...wrap(verdictAbove(safe), width),
    ...section("", figureLines(headline(safe), width, paint)),
    ...layerSection(safe, width, paint),
    ...section("", keptLines(safe.layers, width)),
    ...section(
      "",
      safe.diagnostics.flatMap((diagnostic) => diagnosticLines(diagnostic, width, paint)),
    ),
    "",
    ...wrap(madeBy(safe), width).map(paint.dim),
    ...section(paint.dim("Next:"), [`  ${nextCommand(safe)}`]),
    "",
  ].join("\n");
}

/** A blank line, a title if it has one, and the lines; nothing where there are no lines. */
export function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", ...(title === "" ? [] : [title]), ...lines];
}

/** Text behind an indentation that its further lines keep. */
export function hanging(first: string, indent: number, text: string, width: number): string[] {
  const lines = wrap(text, Math.max(16, width - indent));
  return lines.map((line, i) => (i === 0 ? pad(first, indent) : " ".repeat(indent)) + line);
}

function figureLines(figures: readonly HeadlineFigure[], width: number, paint: Ansi): string[] {
  const values = figures.map(({ before, after }) => (before === "" ? after : `${before} → ${after}`));
  const room = (texts: readonly string[]) => texts.reduce((most, text) => Math.max(most, columns(text)), 0) + 2;
  const nameRoom = room(figures.map(({ name }) => name));
  const valueRoom = room(values);
  const changeRoom = room(figures.map(({ change }) => change));
  const used = 2 + nameRoom + valueRoom + changeRoom;
  const beside = width - used >= 24;
  return figures.flatMap((figure, i) => {
    const { name, change, label, alarm } = figure;
    const note = figure.before === "" || label === "measured" ? figure.note : `${label}: ${figure.note}`;
    const marked = alarm ? paint.warn : paint.bold;
    const start = `  ${pad(name, nameRoom)}`;
    const notes = wrap(note, beside ? width - used : width - 4 - nameRoom).map(paint.dim);
    if (!beside) {
      const below = " ".repeat(2 + nameRoom);
      const fits = change !== "" && 2 + nameRoom + valueRoom + columns(change) <= width;
      const value = start + marked(fits ? pad(values[i], valueRoom) : values[i]);
      return [
        ...(fits || change === "" ? [value + marked(change)] : [value, below + marked(change)]),
        ...notes.map((line) => below + line),
      ];
    }
    const figureText = `${start}${marked(pad(values[i], valueRoom))}${marked(pad(change, changeRoom))}`;
    return [figureText + notes[0], ...notes.slice(1).map((line) => " ".repeat(used) + line)];
  });
}

const shownLayers = 5;

function layerSection({ layers, quality }: Report, width: number, paint: Ansi): string[] {
  const measured = layers.filter(({ sqnrDb }) => sqnrDb !== null).length;
  const worst = worstLayers(layers, quality?.drop);
  if (worst.length === 0)
    return measured === 0 ? [] : section("", [`No layer of ${formatCount(measured)} loses much.`]);
  const shown = worst.slice(0, shownLayers);
  const more = worst.length - shown.length;
  const title = `Layers that lose most${more > 0 ? `, ${shown.length} of ${formatCount(worst.length)}` : ""}`;
  return section(
    paint.bold(title),
    shown.flatMap((layer) => layerLines(layer, quality, width, paint)),
  );
}

function layerLines(layer: LayerReport, quality: QualityReport | null, width: number, paint: Ansi): string[] {
  const { name, op, weights, sqnrDb, cause, fix } = layer;
  const facts = [op, weights, costInWords(layer, quality)].filter((fact) => fact !== "").join("  ");
  const indent = 11;
  const first = `  ${pad(formatDecibels(sqnrDb), indent - 4, "right")}  `;
  const oneLine = indent + columns(name) + 2 + columns(facts) <= width;
  return [
    ...(oneLine
      ? [`${first}${name}  ${paint.dim(facts)}`]
      : [first + ellipsis(name, width - indent, columns), ...hanging("", indent, facts, width).map(paint.dim)]),
    ...(cause === undefined ? [] : hanging("", indent, fullMessage(causeInWords(cause)), width)),
    ...(fix === undefined ? [] : hanging(`${" ".repeat(indent)}→ `, indent + 2, fullMessage(fix), width)),
  ];
}

function keptLines(layers: readonly LayerReport[], width: number): string[] {
  return keptFloat(layers).flatMap(({ why, layers: members }) => {
    const names = members.slice(0, 3).map(({ name }) => ellipsis(name, 40, columns));
    const others = members.length - names.length;
    const list = others > 0 ? `${names.join(", ")} and ${formatCount(others)} more` : names.join(", ");
    return hanging("", 0, `${plural(members.length, "layer")} kept float (${fullMessage(why)}): ${list}`, width);
  });
}

/** A diagnostic with its place and hint; warnings in colour. */
export function diagnosticLines({ level, code, message, at, hint }: Diagnostic, width: number, paint: Ansi): string[] {
  const [first, ...rest] = hanging(`${level}:`, 9, `${fullMessage(message)} [${code}]`, width);
  const place = placeInWords(at);
  return [
    level === "warning"
      ? paint.warn(first.slice(0, 8)) + first.slice(8)
      : paint.dim(first.slice(0, 5)) + first.slice(5),
    ...rest,
    ...(place === "" ? [] : hanging("", 9, `at ${place}`, width).map(paint.dim)),
    ...(hint === undefined ? [] : hanging("         → ", 11, fullMessage(hint), width)),
  ];
}

function madeBy({ tool, recipe, seed, target, durationMs }: Report): string {
  const name = recipeName(recipe);
  return [
    tool,
    ...(name === undefined ? [] : [`recipe ${name}`]),
    `seed ${seed}`,
    ...(target === undefined ? [] : [`target ${target}`]),
    formatDuration(durationMs),
  ].join(" · ");
}
