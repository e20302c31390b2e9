import { type Markup, markup } from "#report/markup";
import type { Table } from "#report/table";

/** A table that scrolls in its own box, also by keyboard. `label` says what it is to those who do not see it. */
export function htmlTable({ columns, rows }: Table, label: string): Markup {
  const side = (i: number) => (columns[i].align === "right" ? "right" : "left");
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table>
<thead><tr>${columns.map(({ name }, i) => markup`<th scope="col" class="${side(i)}">${name}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => markup`<tr>${row.map((cell, i) => markup`<td class="${side(i)}">${cell}</td>`)}</tr>\n`)}</tbody></table></div>`;
}
