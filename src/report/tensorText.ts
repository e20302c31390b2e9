/** Files of weights for a terminal: what they hold, and what became of them. */
import { sizeOf } from "#model/tensor";
import { type Ansi, ansi } from "#report/ansi";
import { columns, wrap } from "#report/columns";
import { ellipsis } from "#report/ellipsis";
import {
  formatBytes,
  formatCount,
  formatDecibels,
  formatDuration,
  formatNumber,
  formatRatio,
  plural,
} from "#report/format";
import { shellWord } from "#report/nextCommand";
import { alignRows, type Column } from "#report/table";
import type { QuantizedRow, TensorInspection, TensorReport } from "#report/tensorReport";
import { diagnosticLines, section, type TextOptions } from "#report/text";
import { visibleDeep } from "#report/visible";

/** Rows of each table. */
const shownRows = 12;

const tensorColumns: readonly Column[] = [
  { name: "stored", align: "right" },
  { name: "bits each", align: "right" },
  { name: "as" },
  { name: "shape" },
  { name: "" },
];

/** Lines, each ended by a line feed; safe to print whatever names the file holds. */
export function tensorInspectionText(inspection: TensorInspection, options: TextOptions = {}): string {
  const safe = visibleDeep(inspection);
  const { paint, width } = settings(options);
  const { file, types, tensors } = safe;
  // what describes quantized tensors is shown with them
  const metadata = safe.metadata.filter(({ key }) => !key.startsWith("lowbit:"));
  const largest = [...tensors].sort((a, b) => b.bytes - a.bytes).slice(0, shownRows);
  const rows = largest.map(({ name, shape, scheme, bytes }) => [
    formatBytes(bytes),
    formatNumber((bytes * 8) / Math.max(1, sizeOf(shape))),
    scheme,
    `[${shape.join(", ")}]`,
    name,
  ]);
  const files = file.files === 1 ? "" : ` in ${plural(file.files, "file")}`;
  return [
    paint.bold(ellipsis(file.name, width, columns)),
    paint.dim(
      `${file.format} · ${formatBytes(file.bytes)}${files} · ${plural(tensors.length, "tensor")} · ${formatCount(safe.parameters)} parameters`,
    ),
    ...section(
      paint.bold("Stored as"),
      aligned(
        [{ name: "" }, right, right],
        types.map(({ type, tensors: count, bytes }) => [type, formatCount(count), formatBytes(bytes)]),
        width,
      ),
    ),
    ...section(
      paint.bold("Metadata"),
      aligned(
        [{ name: "" }, { name: "" }],
        metadata.slice(0, 2 * shownRows).map(({ key, text }) => [key, text]),
        width,
      ),
    ),
    ...(metadata.length > 2 * shownRows ? [`  and ${formatCount(metadata.length - 2 * shownRows)} more: --json`] : []),
    ...table(title("Tensors", largest.length, tensors.length), tensorColumns, rows, width, paint),
    ...section(
      "",
      safe.diagnostics.flatMap((diagnostic) => diagnosticLines(diagnostic, width, paint)),
    ),
    ...section(paint.dim("Next:"), [`  ${next(safe)}`]),
    "",
  ].join("\n");
}

const right: Column = { name: "", align: "right" };
const rowColumns: readonly Column[] = [
  { name: "before", align: "right" },
  { name: "after", align: "right" },
  { name: "SQNR", align: "right" },
  { name: "as" },
  { name: "" },
];

/** As above. */
export function tensorReportText(report: TensorReport, options: TextOptions = {}): string {
  const safe = visibleDeep(report);
  const { paint, width } = settings(options);
  const { input, output, quantized, kept } = safe;
  const worst = [...quantized]
    .sort((a, b) => (a.sqnrDb ?? Number.POSITIVE_INFINITY) - (b.sqnrDb ?? Number.POSITIVE_INFINITY))
    .slice(0, shownRows);
  const rows = worst.map((row) => [
    formatBytes(row.fromBytes),
    formatBytes(row.bytes),
    formatDecibels(row.sqnrDb),
    row.scheme,
    row.name,
  ]);
  return [
    paint.bold(ellipsis(output.path, width, columns)),
    ...wrap(
      `${formatBytes(input.bytes)} → ${formatBytes(output.bytes)}${smaller(input.bytes / output.bytes)}, ${output.format}, in ${formatDuration(safe.durationMs)}`,
      width,
    ),
    ...wrap(keptLine(quantized, kept), width).map(paint.dim),
    ...table(title("Quantized", worst.length, quantized.length), rowColumns, rows, width, paint),
    ...section(
      "",
      safe.diagnostics.slice(0, shownRows).flatMap((diagnostic) => diagnosticLines(diagnostic, width, paint)),
    ),
    ...(safe.diagnostics.length > shownRows
      ? [`and ${formatCount(safe.diagnostics.length - shownRows)} more notes: --json`]
      : []),
    ...section(paint.dim("Next:"), [`  lowbit inspect ${shellWord(output.path)}`]),
    "",
  ].join("\n");
}

function keptLine(quantized: readonly QuantizedRow[], kept: TensorReport["kept"]): string {
  const rest = `${plural(kept.tensors, "tensor")} of ${formatBytes(kept.bytes)} ${quantized.length === 0 ? "copied" : "as they were"}`;
  return quantized.length === 0 ? rest : `${plural(quantized.length, "tensor")} stored anew, ${rest}`;
}

function smaller(ratio: number): string {
  return ratio >= 1.01 ? ` (${formatRatio(ratio)} smaller)` : "";
}

function settings({ color = false, width = 80 }: TextOptions): { readonly paint: Ansi; readonly width: number } {
  return { paint: ansi(color), width: Math.max(40, width) };
}

function title(name: string, shown: number, all: number): string {
  if (shown === all) return name;
  return `${name}, ${name === "Quantized" ? "the worst" : "the largest"} ${shown} of ${formatCount(all)}`;
}

function table(name: string, head: readonly Column[], rows: readonly string[][], width: number, paint: Ansi): string[] {
  if (rows.length === 0) return [];
  const [first, ...lines] = aligned(head, [head.map((column) => column.name), ...rows], width);
  return section(paint.bold(name), [paint.dim(first), ...lines]);
}

function aligned(head: readonly Column[], rows: readonly string[][], width: number): string[] {
  return alignRows({ columns: head, rows }).map((line) => `  ${ellipsis(line, width - 2, columns)}`);
}

/** What these weights could become. */
function next({ file, types }: TensorInspection): string {
  const quantized = types.some(({ type }) => /^(q|iq|tq)\d|uint8|int32/.test(type));
  const name = shellWord(file.name);
  if (quantized) return `lowbit convert ${name} float.safetensors --weights float16`;
  return `lowbit quantize ${name} -o small.${file.format === "gguf" ? "gguf --weights gguf:q8_0" : "safetensors --weights int4/group:32"}`;
}
