/** A table of text: what a chart shows, in words, and what a terminal, Markdown and HTML all can draw. */
import { columns, pad } from "#report/columns";
import { visible } from "#report/visible";

export interface Column {
  readonly name: string;
  /** Numbers stand right. Default left. */
  readonly align?: "left" | "right";
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

/** The rows as lines with aligned columns, two spaces apart; without the head. */
export function alignRows(table: Pick<Table, "columns" | "rows">, gap = "  "): string[] {
  const widths = table.columns.map((_, i) => Math.max(0, ...table.rows.map((row) => columns(row[i]))));
  return table.rows.map((row) =>
    row
      .map((cell, i) => pad(cell, widths[i], table.columns[i].align))
      .join(gap)
      .trimEnd(),
  );
}

/** A GitHub table. Names cannot leave their cell: pipes, backticks, brackets and markup are escaped. */
export function markdownTable(table: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(table.columns.map((column) => markdownText(column.name))),
    line(table.columns.map((column) => (column.align === "right" ? "--:" : ":--"))),
    ...table.rows.map((row) => line(row.map(markdownText))),
  ].join("\n");
}

/** Text that Markdown shows as it is. */
export function markdownText(text: string): string {
  return visible(text)
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/[\\`*_[\]{}|~#!@]/g, (sign) => (sign === "@" ? "&#64;" : `\\${sign}`))
    .replace(/(https?|ftp):/gi, "$1&#58;")
    .replace(/www\./gi, (www) => `${www.slice(0, 3)}&#46;`);
}
