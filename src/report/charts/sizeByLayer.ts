/** Where the bytes are: the largest stored tensors, before and after. */
import { barKey, type BarRow, barRows, withKey } from "#report/charts/barRows";
import { type ChartOptions, svg } from "#report/charts/svg";
import { compared, sizeWords } from "#report/comparison";
import { fullName } from "#report/ellipsis";
import { formatBytes, formatCount, formatExactBytes, formatNumber, plural } from "#report/format";
import { nothing } from "#report/markup";
import type { Table } from "#report/table";
import type { LedgerRow } from "#report/types";

export interface SizeByLayerOptions extends ChartOptions {
  /** Rows shown; the rest is one row "others". Default 12. */
  readonly top?: number;
}

/**
 * The largest rows of the size ledger as bars from zero, the rest summed up in one. Bytes are as stored, with scales
 * and padding.
 */
export function sizeByLayer(ledger: readonly LedgerRow[], options: SizeByLayerOptions = {}): string {
  const rows = largest(ledger, options.top ?? 12);
  const before = sum(ledger, "floatBytes");
  const after = sum(ledger, "bytes");
  const bars = rows.map(
    (row): BarRow => ({
      name: row.tensor,
      bars: [
        { value: row.floatBytes, role: "float" },
        { value: row.bytes, role: "quantized" },
      ],
      label: `${formatBytes(row.floatBytes)} → ${formatBytes(row.bytes)}`,
      alarm: row.bytes > row.floatBytes,
      hover: [
        `${fullName(row.tensor)}: ${row.scheme} ${row.shape.join("×")}`.trimEnd(),
        `${formatExactBytes(row.floatBytes)} → ${formatExactBytes(row.bytes)}`,
      ].join(", "),
    }),
  );
  const total = `${formatBytes(before)} → ${formatBytes(after)}`;
  const words = {
    title: "Where the bytes are",
    subtitle:
      ledger.length === 0
        ? "The report has no size ledger."
        : `${total} in ${plural(ledger.length, "tensor")}, ${compared(before / after, sizeWords)}; scales and padding counted.`,
    description: `Stored bytes before and after, largest first. ${rows
      .slice(0, 3)
      .map((row) => `${fullName(row.tensor)}: ${formatBytes(row.floatBytes)} to ${formatBytes(row.bytes)}.`)
      .join(" ")}`,
  };
  return svg(words, options, (width) => {
    if (rows.length === 0) return { height: 0, body: nothing };
    const key = barKey([
      { role: "float", name: "float" },
      { role: "quantized", name: "quantized" },
    ]);
    return withKey(key, barRows(bars, width, { thickness: 12, format: formatBytes, axisTitle: "stored size" }));
  });
}

export function sizeByLayerTable(ledger: readonly LedgerRow[]): Table {
  return {
    columns: [
      { name: "Tensor" },
      { name: "Shape" },
      { name: "Scheme" },
      { name: "Float bytes", align: "right" },
      { name: "Bytes", align: "right" },
      { name: "Entropy coded", align: "right" },
      { name: "Bits per weight: code / stored / entropy coded", align: "right" },
    ],
    rows: bySize(ledger).map((row) => [
      row.tensor,
      row.shape.join("×"),
      row.scheme,
      formatCount(row.floatBytes),
      formatCount(row.bytes),
      formatCount(row.entropyCodedBytes),
      row.bitsPerWeight === undefined ? "" : bitsCell(row.bitsPerWeight),
    ]),
  };
}

/** → "4 / 4.05 / 3.67" */
function bitsCell({ nominal, stored, entropyCoded }: NonNullable<LedgerRow["bitsPerWeight"]>): string {
  return [nominal, stored, entropyCoded].map(formatNumber).join(" / ");
}

function largest(ledger: readonly LedgerRow[], top: number): LedgerRow[] {
  const sorted = bySize(ledger);
  if (sorted.length <= top + 1) return sorted; // "1 other tensor" would take its place
  const rest = sorted.slice(top);
  const others: LedgerRow = {
    tensor: `${formatCount(rest.length)} others`,
    shape: [],
    scheme: "together",
    bytes: sum(rest, "bytes"),
    floatBytes: sum(rest, "floatBytes"),
    entropyCodedBytes: sum(rest, "entropyCodedBytes"),
  };
  return [...sorted.slice(0, top), others];
}

function bySize(ledger: readonly LedgerRow[]): LedgerRow[] {
  const size = (row: LedgerRow) => Math.max(row.floatBytes, row.bytes);
  return [...ledger].sort((a, b) => size(b) - size(a) || (a.tensor < b.tensor ? -1 : 1));
}

function sum(rows: readonly LedgerRow[], key: "bytes" | "floatBytes" | "entropyCodedBytes"): number {
  return rows.reduce((total, row) => total + row[key], 0);
}
