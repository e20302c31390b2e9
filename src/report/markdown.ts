/** The headline figures as Markdown, for a README or a pull request. */
import { headline } from "#report/headline";
import { type Table, markdownTable, markdownText } from "#report/table";
import type { Report } from "#report/types";
import { verdict } from "#report/verdict";

/** The verdict and a table: what, float, quantized, change, and where the number is from. GitHub's dialect. */
export function reportMarkdown(report: Report): string {
  const table: Table = {
    columns: [
      { name: "" },
      { name: "float", align: "right" },
      { name: "quantized", align: "right" },
      { name: "change", align: "right" },
      { name: "from" },
    ],
    rows: headline(report).map(({ name, before, after, change, label, note }) => [
      name,
      before,
      after,
      change,
      `${label}: ${note}`,
    ]),
  };
  return `${markdownText(verdict(report))}\n\n${markdownTable(table)}\n`;
}
