/** What to mend first, and then every layer with what it became and why. */
import { ellipsis, fullMessage, fullName } from "#report/ellipsis";
import { formatCount, formatDecibels, plural } from "#report/format";
import { type Markup, markup, nothing } from "#report/markup";
import type { LayerReport, QualityReport, Report } from "#report/types";
import { audibleDb, causeInWords, costInWords, isKeptFloat, worstLayers } from "#report/worstLayers";

const fixesShown = 8;
/** A page with more rows than this is slow to open; the JSON has them all. */
const rowsShown = 1500;
/** Up to so many layers the table is open from the start. */
const rowsOpen = 80;

/** The worst layers with cause and fix, worst first. */
export function fixes({ layers, quality }: Report): Markup {
  const worst = worstLayers(layers, quality?.drop);
  if (worst.length === 0) return nothing;
  const items = worst.slice(0, fixesShown).map((layer) => {
    const { name, op, weights, sqnrDb, cause, fix } = layer;
    const facts = [formatDecibels(sqnrDb), op, weights, costInWords(layer, quality)];
    const known = facts.filter((fact) => fact !== "").join(" · ");
    const because = cause === undefined ? nothing : markup`<p>${sentence(fullMessage(causeInWords(cause)))}</p>`;
    const hint = fix === undefined ? nothing : markup`<p class="hint">${fullMessage(fix)}</p>`;
    return markup`<li><p>${nameOf(name)} <span class="muted">${known}</span></p>${because}${hint}</li>\n`;
  });
  const more = worst.length - items.length;
  return markup`<section><h2>What to mend first</h2><div class="card"><ol class="fixes">${items}</ol>${
    more > 0 ? markup`<p class="muted">and ${plural(more, "layer")} more in the table below</p>` : nothing
  }</div></section>`;
}

/** All layers in graph order. */
export function layersTable({ layers, quality }: Report): Markup {
  if (layers.length === 0) return nothing;
  const rest = layers.length - rowsShown;
  return markup`<section><h2>${plural(layers.length, "layer")}</h2><div class="card">
<details${layers.length <= rowsOpen ? markup` open` : nothing}><summary>In graph order</summary>
<div class="scroll all" tabindex="0" role="region" aria-label="layers"><table class="layers">
<thead><tr><th scope="col">Layer</th><th scope="col">Weights</th><th scope="col">Activations</th>
<th scope="col" class="right">SQNR</th><th scope="col">Why</th></tr></thead>
<tbody>
${layers.slice(0, rowsShown).map((layer) => row(layer, quality))}</tbody></table></div>${
    rest > 0 ? markup`<p class="muted">and ${formatCount(rest)} more in the JSON of this report</p>` : nothing
  }</details></div></section>`;
}

function row(layer: LayerReport, quality: QualityReport | null): Markup {
  const { name, op, weights, activations, sqnrDb, cause, fix, why } = layer;
  const cost = costInWords(layer, quality);
  const lost = cost === "" ? nothing : markup`<span class="alarm">${cost}</span>`;
  const because =
    cause === undefined
      ? nothing
      : markup`<br><span class="alarm">${sentence(fullMessage(causeInWords(cause)))}</span>`;
  const hint = fix === undefined ? nothing : markup`<div class="hint">${fullMessage(fix)}</div>`;
  return markup`<tr><td>${nameOf(name)}<span class="muted">${op}</span></td>
<td>${isKeptFloat(layer) ? markup`<span class="muted">${weights}</span>` : weights}</td><td>${activations}</td>
<td class="right">${formatDecibels(sqnrDb)}${meter(sqnrDb)}${lost}</td><td class="reason">${fullMessage(why)}${because}${hint}</td></tr>\n`;
}

/** A name from a file: cut to a sane length, whole when pointed at, and unable to turn the text around it. */
function nameOf(name: string): Markup {
  const full = fullName(name);
  return markup`<bdi class="name" title="${full}">${ellipsis(full, 80)}</bdi>`;
}

/** 0 to 50 dB as a bar; beyond, full. */
function meter(db: number | null): Markup {
  if (db === null || Number.isNaN(db)) return nothing;
  const share = Math.min(1, Math.max(0, db / 50)) * 100;
  return markup`<span class="meter${db < audibleDb ? " low" : ""}"><span style="width:${share}%"></span></span>`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
