/** How the model was made: enough to make it again, and to know that this file is the one. */
import { formatCount, formatDuration, formatExactBytes, plural } from "#report/format";
import { type Markup, markup } from "#report/markup";
import { isRandom } from "#report/metric";
import { recipeName } from "#report/recipeName";
import type { FileFacts, QualityReport, Report } from "#report/types";

export function provenance(report: Report): Markup {
  const { tool, input, output, recipe, seed, target, calibration, quality, speed, energy, size, durationMs } = report;
  const facts: [string, Markup | string][] = [
    ["Input", file(input, size.inputBytes)],
    ["Output", file(output, size.outputBytes)],
    ["Recipe", recipeOf(recipe)],
    ["Seed", String(seed)],
    ["Target", target ?? "none named"],
    ["Calibrated on", calibration === undefined ? "no data" : samplesOf(calibration)],
    [
      "Evaluated on",
      quality === null ? markup`<span class="alarm">nothing: quality was not measured</span>` : samplesOf(quality),
    ],
    [
      "Timed on",
      speed === null
        ? "not timed"
        : `${speed.runtime}, ${plural(speed.threads, "thread")}, median of ${plural(speed.rounds, "round")}`,
    ],
    ...(energy === null ? [] : [["Energy model", energy.model] satisfies [string, string]]),
    ["Made by", `${tool} in ${formatDuration(durationMs)}`],
  ];
  return markup`<section><h2>How it was made</h2><div class="card"><dl class="facts">
${facts.map(([name, fact]) => markup`<dt>${name}</dt><dd>${fact}</dd>\n`)}</dl></div></section>`;
}

function file({ path, sha256, format }: FileFacts, bytes: number): Markup {
  return markup`<bdi class="name">${path}</bdi> <span class="muted">${format}, ${formatExactBytes(bytes)}</span><br>
<span class="digest">sha256 <span class="name">${sha256}</span></span>`;
}

function samplesOf(data: Pick<QualityReport, "samples" | "data">): Markup {
  return isRandom(data)
    ? markup`<span class="alarm">${plural(data.samples, "random input")}: made up, not real data</span>`
    : markup`${formatCount(data.samples)} samples of <bdi>${data.data}</bdi>`;
}

function recipeOf(recipe: unknown): Markup {
  const name = recipeName(recipe);
  if (typeof recipe === "string") return markup`${recipe}`;
  // a line feed of ours is markup; in their texts it would be shown as a sign
  const lines = (JSON.stringify(recipe, null, 2) ?? "none").split("\n").map((line) => markup`${line}\n`);
  return markup`${name ?? ""}<pre>${lines}</pre>`;
}
