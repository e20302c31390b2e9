/** A training for a terminal: what it brought, and how it went. */
import { ansi } from "#report/ansi";
import { columns, wrap } from "#report/columns";
import { ellipsis } from "#report/ellipsis";
import { formatCount, formatDuration, formatNumber, formatPercent, plural, unknown } from "#report/format";
import { shellWord } from "#report/nextCommand";
import { alignRows, type Column } from "#report/table";
import { diagnosticLines, section, type TextOptions } from "#report/text";
import type { LearnedPoint, TrainingReport } from "#report/trainingReport";
import { visibleDeep } from "#report/visible";

const curveColumns: readonly Column[] = [
  { name: "epoch", align: "right" },
  { name: "learning rate", align: "right" },
  { name: "loss", align: "right" },
  { name: "right", align: "right" },
  { name: "held-out loss", align: "right" },
  { name: "right", align: "right" },
  { name: "" },
];

/** Lines, each ended by a line feed; safe to print whatever names the file holds. */
export function trainingText(report: TrainingReport, options: TextOptions = {}): string {
  const safe = visibleDeep(report);
  const paint = ansi(options.color ?? false);
  const width = Math.max(40, options.width ?? 80);
  const { data, settings, weights, before, after, output, input } = safe;
  const share = (point: LearnedPoint | null, samples: number): string =>
    point?.accuracy == null ? unknown : formatPercent(point.accuracy, samples);
  const cost = (point: LearnedPoint | null): string => (point === null ? unknown : formatNumber(point.loss));
  const rows = safe.curve.map((point) => [
    String(point.epoch),
    formatNumber(point.learningRate),
    cost(point),
    share(point, data.training),
    cost(point.heldOut),
    share(point.heldOut, data.heldOut),
    point.epoch === safe.epoch ? "← kept" : "",
  ]);
  const [head, ...lines] = alignRows({ columns: curveColumns, rows: [curveColumns.map(({ name }) => name), ...rows] });
  const judged = after?.accuracy == null ? "loss" : "right";
  const brought =
    after === null || before === null
      ? "no sample was held out to judge on"
      : judged === "right"
        ? `${share(before, data.heldOut)} → ${share(after, data.heldOut)} right on ${plural(data.heldOut, "held-out sample")}`
        : `loss ${cost(before)} → ${cost(after)} on ${plural(data.heldOut, "held-out sample")}`;
  const how = `${settings.loss}, ${settings.optimizer}, ${plural(data.training, "sample")} of ${data.name} in batches of ${settings.batch}, ${formatCount(weights.parameters)} parameters, ${safe.runtime}, ${formatDuration(safe.durationMs)}`;
  const skipped = safe.skippedBatches;
  return [
    ...(output === null ? [] : [paint.bold(ellipsis(output.path, width, columns))]),
    ...wrap(brought, width),
    ...wrap(how, width).map(paint.dim),
    ...section(
      "",
      [paint.dim(head), ...lines].map((line) => line.trimEnd()),
    ),
    ...(safe.stopped === "target" ? ["", "Stopped: the target was met."] : []),
    ...(skipped === 0 ? [] : ["", `${plural(skipped, "batch")} had no finite loss and changed nothing.`]),
    ...section(
      "",
      safe.diagnostics.flatMap((diagnostic) => diagnosticLines(diagnostic, width, paint)),
    ),
    ...(output === null || input === null
      ? []
      : section(paint.dim("Next:"), [`  lowbit quantize ${shellWord(output.path)} --data ${shellWord(data.name)}`])),
    "",
  ].join("\n");
}
