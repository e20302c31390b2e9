/**
 * The charts on the page: each twice, for a desk and for a phone, of which the style sheet shows one, and as a table.
 */
import { type ChartName, charts } from "#report/charts/index";
import { plural } from "#report/format";
import { htmlTable } from "#report/html/htmlTable";
import { type Markup, markup, nothing, trusted } from "#report/markup";
import type { Report } from "#report/types";

/** Pixels inside a card: across the page, in half of it, on a phone of 360. */
const wide = 1020;
const half = 476;
const phone = 310;

/** Rows of a chart's table on the page; all of them are in the report's JSON. */
const tableRows = 500;

/** The figures of the named charts; nothing for those that the report has no data for. */
export function pictures(report: Report, names: readonly ChartName[], size: "wide" | "half"): Markup {
  return markup`${names.flatMap((name) => {
    const desk = charts[name](report, { width: size === "wide" ? wide : half, standalone: false });
    const small = charts[name](report, { width: phone, standalone: false });
    return desk.map(({ svg, table }, i) => {
      const rest = table.rows.length - tableRows;
      const shown = rest > 0 ? { ...table, rows: table.rows.slice(0, tableRows) } : table;
      const more =
        rest > 0 ? markup`<p class="muted">and ${plural(rest, "row")} more in the JSON of this report</p>` : nothing;
      return markup`<figure class="card ${size}"><div class="desk">${trusted(svg)}</div>
<div class="phone">${trusted(small[i].svg)}</div>
<details><summary>As a table</summary>${htmlTable(shown, "the figures of the chart above")}${more}</details></figure>\n`;
    });
  })}`;
}
