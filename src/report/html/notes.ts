/** What did not stop the work but should be known: warnings first. */
import type { Diagnostic } from "#base/errors";
import { fullMessage } from "#report/ellipsis";
import { type Markup, markup, nothing } from "#report/markup";
import { placeInWords } from "#report/place";

export function notes(diagnostics: readonly Diagnostic[]): Markup {
  if (diagnostics.length === 0) return nothing;
  const warnings = diagnostics.filter(({ level }) => level === "warning");
  const rest = diagnostics.filter(({ level }) => level !== "warning");
  return markup`<section><h2>${warnings.length > 0 ? "Warnings and notes" : "Notes"}</h2><div class="card"><ul class="notes">
${[...warnings, ...rest].map(item)}</ul></div></section>`;
}

function item({ code, level, message, at, hint }: Diagnostic): Markup {
  const place = placeInWords(at);
  const warning = level === "warning" ? markup`<strong class="alarm">Warning</strong> ` : nothing;
  const where = place === "" ? nothing : markup`<p class="muted">at <bdi>${place}</bdi></p>`;
  const next = hint === undefined ? nothing : markup`<p class="hint">${fullMessage(hint)}</p>`;
  return markup`<li><p>${warning}${fullMessage(message)} <span class="chip">${code}</span></p>${where}${next}</li>\n`;
}
