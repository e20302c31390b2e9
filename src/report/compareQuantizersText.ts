/** A comparison of quantizers for a terminal: a table by bits, those that no other beats marked. */
import { ansi } from "#report/ansi";
import { paretoFront } from "#report/compareQuantizers";
import { formatCount, formatDecibels, formatNumber, plural } from "#report/format";
import { alignRows } from "#report/table";
import type { TextOptions } from "#report/text";
import type { QuantizerComparison } from "#report/types";
import { visible, visibleDeep } from "#report/visible";

/** Lines, each ended by a line feed. */
export function compareQuantizersText(comparison: QuantizerComparison, { color = false }: TextOptions = {}): string {
  const { model, layers, weights, rows } = visibleDeep(comparison);
  const paint = ansi(color);
  const front = paretoFront(rows);
  const sorted = [...rows].sort(
    (a, b) =>
      (a.bitsPerWeight ?? Number.POSITIVE_INFINITY) - (b.bitsPerWeight ?? Number.POSITIVE_INFINITY) ||
      (b.sqnrDb ?? 0) - (a.sqnrDb ?? 0),
  );
  const head = ["", "scheme", "stored bits", "codes", "SQNR", "", ""];
  const lines = alignRows({
    columns: head.map((name, i) => ({ name, align: i >= 2 && i <= 4 ? "right" : "left" })),
    rows: [
      head,
      ...sorted.map((row) => [
        front.has(row) ? "*" : " ",
        row.scheme,
        row.bitsPerWeight === null ? "–" : row.bitsPerWeight.toFixed(3),
        formatNumber(row.nominalBits),
        row.sqnrDb === null ? "–" : formatDecibels(row.sqnrDb),
        row.decoding,
        row.skipped === 0
          ? ""
          : `does not fit ${plural(row.skipped, "tensor")}: ${(row.why ?? "").replace(/[,;].*$/, "")}`,
      ]),
    ],
  });
  const what = layers.length === 1 ? layers[0] : plural(layers.length, "tensor");
  return [
    paint.bold(`${visible(model)}: ${what}, ${formatCount(weights)} weights`),
    paint.dim(
      "stored bits per weight, with scales, zero points and codebooks; SQNR of the weights; * no other beats it",
    ),
    "",
    ...lines.map((line) => (line.startsWith("*") ? paint.bold(line) : line)),
    "",
  ].join("\n");
}
