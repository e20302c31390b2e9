/**
 * The report as one HTML file that can be mailed, archived and printed: no script runs, nothing is fetched (a Content
 * Security Policy says so too), and the report's JSON is inside, so that the page can be read back.
 */
import { unbroken } from "#report/columns";
import { fullName } from "#report/ellipsis";
import { headlineFigures } from "#report/html/headlineFigures";
import { fixes, layersTable } from "#report/html/layersTable";
import { notes } from "#report/html/notes";
import { pictures } from "#report/html/pictures";
import { provenance } from "#report/html/provenance";
import { style } from "#report/html/style";
import { malformed, parseReport, reportJson } from "#report/json";
import { type Markup, markup, nothing, trusted } from "#report/markup";
import type { Report } from "#report/types";
import { verdictAbove } from "#report/verdict";

export interface HtmlOptions {
  /** Title of the page. Default the output's file name. */
  readonly title?: string;
}

const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
const jsonOpens = `<script type="application/json" id="lowbit-report">`;
const jsonCloses = "</script>";

/** What would end the JSON's element, and what is invisible, in its source too. JSON's own escapes stand for it. */
const unsafe = /[<\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function escaped(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

/** The page; same report, same bytes. */
export function reportHtml(report: Report, options: HtmlOptions = {}): string {
  const title = fullName(options.title ?? report.output.path.split(/[/\\]/).at(-1)!);
  const evidence = section("Accuracy and energy", pictures(report, ["accuracyBars", "energyBars"], "half"));
  const errors = section("Where accuracy goes", pictures(report, ["sqnrByLayer"], "wide"));
  const cost = section("Where size and time go", pictures(report, ["sizeByLayer", "latencyBars"], "wide"));
  const grids = section("How the grids fit", pictures(report, ["weightHistogram"], "half"));
  const choices = section(
    "What other quantizers would make of it",
    pictures(report, ["rateDistortion", "quantizerLevels"], "wide"),
  );
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="${report.tool}">
<title>${title}: lowbit report</title>
<link rel="icon" href="data:,">
<style>
${trusted(style)}
</style>
</head>
<body>
<header>
<p class="brand">lowbit report</p>
<h1><bdi>${title}</bdi></h1>
<p class="lead">${unbroken(verdictAbove(report))}</p>
</header>
<main>
${headlineFigures(report)}
${notes(report.diagnostics)}
${evidence}
${errors}
${fixes(report)}
${cost}
${grids}
${choices}
${layersTable(report)}
${provenance(report)}
</main>
<footer><p>This page is one file: it loads nothing, and holds the full report as JSON.</p></footer>
${trusted(jsonOpens)}${trusted(reportJson(report).replace(unsafe, escaped))}${trusted(jsonCloses)}
</body>
</html>
`.markup;
}

/** The report inside a page that `reportHtml` made. Throws `report/malformed`. `file` is the name for errors. */
export function readReportHtml(html: string, file = "report"): Report {
  // nothing before it can contain these characters: all text on the page is escaped
  const start = html.indexOf(jsonOpens);
  const end = html.indexOf(jsonCloses, start);
  if (start < 0 || end < 0) throw malformed(file, "it is no HTML report of lowbit");
  return parseReport(html.slice(start + jsonOpens.length, end), file);
}

function section(title: string, figures: Markup): Markup {
  return figures.markup === ""
    ? nothing
    : markup`<section><h2>${title}</h2><div class="charts">${figures}</div></section>`;
}
