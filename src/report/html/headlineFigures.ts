/** The headline figures as cards. */
import { unbroken } from "#report/columns";
import { type HeadlineFigure, headline } from "#report/headline";
import { type Markup, markup, nothing } from "#report/markup";
import type { Report } from "#report/types";

export function headlineFigures(report: Report): Markup {
  return markup`<dl class="figures">
${headline(report).map(card)}</dl>`;
}

function card({ name, before, after, change, label, note, alarm }: HeadlineFigure): Markup {
  const fromTo = unbroken(before === "" ? after : `${before} → ${after}`);
  return markup`<div class="card"><dt>${name}<span class="chip ${label}">${label}</span></dt>
<dd class="value${alarm ? " alarm" : ""}">${change === "" ? fromTo : big(change)}</dd>
${change === "" ? nothing : markup`<dd>${fromTo}</dd>`}<dd class="note">${note}</dd></div>\n`;
}

/** The margin of a change is smaller print. → −0.9 <small>± 1.8 points</small> */
function big(change: string): Markup {
  const [value, margin] = change.split(" ± ");
  return margin === undefined ? markup`${value}` : markup`${value} <small>± ${margin}</small>`;
}
