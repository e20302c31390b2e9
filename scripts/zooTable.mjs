/**
 * Every model of ../shared/models/zoo through `lowbit quantize`, and what became of it: docs/zoo.md. Runs what
 * `npm run build` made.
 *
 *   node scripts/zooTable.mjs [--recipes w8a8-dynamic,w8a8,…] [--target ort-node] [--models PART-OF-NAME] [--dist DIR] [--dry]
 *
 * The models have no data of their own here, so they are calibrated and judged on random numbers, as every report says. A crash,
 * a file left by a refusal, or a proof without a file ends the script with 1 and writes nothing.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    recipes: { type: "string", default: "w8a8-dynamic,w8a8,w8,w4a16,fp16" },
    target: { type: "string", default: "auto" },
    models: { type: "string", default: ".onnx" },
    dist: { type: "string", default: join(root, "dist") },
    dry: { type: "boolean", default: false },
  },
});

/** @typedef {import("../src/report/types").Report} Report */
/** @typedef {{ error: { code: string, message: string, hint: string } }} Refusal */

const zoo = join(root, "../shared/models/zoo");
const scratch = mkdtempSync(join(tmpdir(), "lowbit-zoo-"));
/** @type {string[]} */
const faults = [];
/** @type {Record<string, string[]>} */
const rows = {};
let [proved, refused] = [0, 0];
let runtime = "";

for (const model of readdirSync(zoo).filter((name) => name.includes(values.models))) {
  for (const recipe of values.recipes.split(",")) {
    const what = `${model} ${recipe}`;
    const answer = quantize(model, recipe);
    if (typeof answer === "string") faults.push(`${what}: ${answer}`);
    else if ("error" in answer) refused++;
    else proved++;
    if (typeof answer === "object" && "target" in answer) runtime = answer.target ?? runtime;
    const cells = typeof answer === "string" ? ["**fault**", answer] : cellsOf(answer);
    (rows[recipe] ??= []).push(`| ${[model.replace(/\.onnx$/, ""), ...cells].join(" | ")} |`);
    process.stderr.write(`${what}: ${cells.join(" · ")}\n`);
  }
}
rmSync(scratch, { recursive: true });
if (faults.length > 0) {
  console.error(`\n${faults.length} faults:\n${faults.join("\n")}`);
  process.exit(1);
}
if (!values.dry) writeFileSync(join(root, "docs/zoo.md"), page());
console.log(`${proved} proved, ${refused} refused, no crash, no wrong file`);

/**
 * The report, the typed refusal, or what is wrong with the outcome.
 * @param {string} model
 * @param {string} recipe
 * @returns {Report | Refusal | string}
 */
function quantize(model, recipe) {
  const output = join(scratch, `${model}.${recipe}.onnx`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(values.dist, "cli/main.js"),
      "quantize",
      relative(root, join(zoo, model)),
      `--output=${output}`,
      `--recipe=${recipe}`,
      "--allow-random-data",
      `--target=${values.target}`,
      "--quiet",
      "--json",
    ],
    { cwd: root, encoding: "utf8", maxBuffer: 2 ** 28, timeout: 300_000 },
  );
  const left = readdirSync(scratch);
  /** @type {Report | Refusal | undefined} */
  const answer = stdout.startsWith("{") ? JSON.parse(stdout) : undefined;
  if (answer === undefined || status === null) return `crash: ${stderr.slice(0, 500)}`;
  if ("error" in answer) {
    if (status === 0) return "a refusal that ends with 0";
    return left.length > 0 ? `a refusal that left ${left.join(", ")}` : answer;
  }
  if (status !== 0) return `a report that ends with ${status}`;
  if (!existsSync(output) || statSync(output).size !== answer.size.outputBytes) return "a report without its file";
  rmSync(output);
  if (left.length > 1) return `more files than asked for: ${left.join(", ")}`;
  if (answer.quality?.data !== "random") return "random data that is not called so";
  return answer;
}

/**
 * Outcome, agreement, SQNR, size, speed, reason.
 * @param {Report | Refusal} answer
 */
function cellsOf(answer) {
  if ("error" in answer)
    return ["refused", "", "", "", "", `\`${answer.error.code}\` ${escaped(answer.error.message)}`];
  const { quality, size, speed } = answer;
  return [
    "proved",
    quality?.agreement == null ? "" : `${Math.floor(quality.agreement * 1000) / 10} %`,
    `${quality?.logitSqnrDb.toFixed(1).replace("Infinity", "∞")} dB`,
    `${size.inputBytes.toLocaleString("en")} → ${size.outputBytes.toLocaleString("en")}`,
    speed === null ? "" : `${speed.speedup.toFixed(2)}×`,
    layersOf(answer),
  ];
}

/**
 * → "38 layers int8, 3 stored as int8, 2 float32"
 * @param {Report} report
 */
function layersOf({ layers }) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { weights, activations } of layers) {
    if (weights === "") continue;
    const kind = `${weights} × ${activations === "" ? "float32" : activations}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([kind, count]) => `${count} ${kind}`)
    .join(", ");
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("|", "\\|").replace(/\s+/g, " ");
}

function page() {
  const sections = Object.entries(rows).map(
    ([recipe, lines]) => `## ${recipe}

| model | outcome | same answer | SQNR | bytes | speed | layers, or reason |
|---|---|---|---|---|---|---|
${lines.join("\n")}
`,
  );
  return `# The zoo

21 models from a dozen exporters, each through ${Object.keys(rows).length} recipes. \`lowbit quantize\` proves its result in ONNX Runtime or refuses
with a typed reason; it never crashes and leaves no file that was not proved. ${proved} proved, ${refused} refused.

There is no data for these models, so they are calibrated and judged on random numbers (\`--allow-random-data\`): that the files
run, keep their parent's outputs, and how fast they are is measured; their accuracy is not. Same answer: share of samples with
the float model's class, where the answer is one. SQNR: of all outputs against the float parent's. Speed: float time over
quantized time, one thread, ${runtime} (${cpus().length} cores).

Made by \`npm run build && node scripts/zooTable.mjs\`, which runs for each row

    lowbit quantize MODEL -o OUTPUT --recipe RECIPE --allow-random-data --json

${sections.join("\n")}`;
}
