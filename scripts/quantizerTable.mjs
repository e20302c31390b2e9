/**
 * Every quantizer's example schemes as a file of a real classifier, proved in ONNX Runtime for Node and as WebAssembly, and what it
 * keeps of the accuracy: docs/quantizers.md. Runs what `npm run build` made.
 *
 *   node scripts/quantizerTable.mjs [--schemes SCHEME,…] [--dist DIR] [--dry]
 *
 * With --schemes the page's other rows stay. A scheme whose blocks fit no layer of ResNet-20 is tried on MobileNetV2, whose last layer
 * has rows of 1,280.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    schemes: { type: "string", default: "" },
    dist: { type: "string", default: join(root, "dist") },
    dry: { type: "boolean", default: false },
  },
});
/** @type {(module: string) => Promise<any>} */
const load = (module) => import(pathToFileURL(join(values.dist, module)).href);
const { quantizeFile, evaluateFile } = await load("node.js");
const { quantizers } = await load("quant/quantizers/index.js");

/** @typedef {import("../src/report/types").Report} Report */

const classifiers = [
  {
    name: "ResNet-20",
    path: "../shared/models/cifar10/cifar10_resnet20.onnx",
    options: { data: "../shared/data/cifar10/test_000-465.bin", preprocess: "cifar" },
  },
  {
    name: "MobileNetV2",
    path: "../shared/models/imagenet/mobilenet_v2_1.0_224_tf.onnx",
    options: { data: "../shared/data/imagenet", preprocess: "imagenet-tf", classOffset: 1, samples: 108, calibrate: 8 },
  },
];
process.chdir(root);
const scratch = mkdtempSync(join(tmpdir(), "lowbit-quantizers-"));
const file = join(root, "docs/quantizers.md");
const wanted = values.schemes.split(",").filter((scheme) => scheme !== "");
const pageBefore = existsSync(file) ? readFileSync(file, "utf8") : "";
const before = new Map([...pageBefore.matchAll(/^\| `([^`]+)` \|.*$/gm)].map(([row, scheme]) => [scheme, row]));
/** @type {string[]} */
const faults = [];
/** @type {string[]} */
const sections = [];
/** What the float models are. @type {Map<string, string>} */
const floats = new Map([...pageBefore.matchAll(/^- (\S+): (.*)$/gm)].map(([, name, facts]) => [name, facts]));
const columns =
  "scheme | model | weights stored so | bytes | bits per weight: code / stored / coded | accuracy | agreement | ort-node | ort-web";
const head = `| ${columns} |\n${"|---".repeat(9)}|`;

for (const { name, title, examples } of Object.values(quantizers)) {
  /** @type {string[]} */
  const rows = [];
  for (const scheme of examples) {
    const kept = wanted.length === 0 || wanted.includes(scheme) ? undefined : before.get(scheme);
    const row = kept ?? `| \`${scheme}\` | ${(await measured(scheme)).join(" | ")} |`;
    process.stderr.write(kept === undefined ? `${row}\n` : "");
    rows.push(row);
  }
  sections.push(`## [${name}](quantizers/${name}.md)\n\n${title}\n\n${head}\n${rows.join("\n")}\n`);
}
rmSync(scratch, { recursive: true });
if (faults.length > 0) {
  console.error(`\n${faults.length} faults:\n${faults.join("\n")}`);
  process.exit(1);
}
if (!values.dry) writeFileSync(file, page());

/**
 * One row: model, weights stored so, bytes, bits per weight, accuracy, agreement, runtimes.
 * @param {string} scheme
 * @returns {Promise<string[]>}
 */
async function measured(scheme) {
  let why = "";
  for (const { name, path, options } of classifiers) {
    const output = join(scratch, "out.onnx");
    const judged = { ...options, layers: false };
    /** @type {Report} */
    let report;
    try {
      const recipe = { name: scheme, weights: scheme, activations: "float", mode: "float", rules: [], prefer: "speed" };
      const limits = { minAgreement: 0, minSqnrDb: -1000, measure: false };
      report = await quantizeFile(path, output, {
        ...judged,
        ...limits,
        recipe: { ...recipe, smallestWeight: 256 },
        target: "ort-node",
      });
    } catch (error) {
      const { code = "", message } = /** @type {{ code?: string, message: string }} */ (error);
      if (code === "quant/scheme" && message.includes("finds nothing to quantize")) {
        why = message;
        continue; // its blocks fit no layer: the next classifier
      }
      faults.push(`${scheme} on ${name}: ${code} ${message}`);
      return [name, "", "", "", "", "", "", `**${code}**`];
    }
    const matrices = report.size.ledger.filter(({ bitsPerWeight, shape }) => bitsPerWeight && shape.length >= 2);
    const changed = matrices.filter((row) => row.scheme !== "float32");
    const own = changed.length === 0 ? matrices : changed; // gguf:f32 is float32
    const elements = own.reduce((sum, { shape }) => sum + shape.reduce((size, dim) => size * dim, 1), 0);
    const bits = (/** @type {"bytes" | "entropyCodedBytes"} */ key) =>
      ((8 * own.reduce((sum, row) => sum + row[key], 0)) / elements).toFixed(2);
    const node = await answers(output, path, judged, "ort-node");
    const web = await answers(output, path, judged, "ort-web");
    const bytes = report.size.inputBytes.toLocaleString("en");
    floats.set(name, `${node?.samples} samples, ${percent(node?.float)} right, ${bytes} bytes`);
    return [
      name,
      `${own.length} of ${matrices.length}`,
      report.size.outputBytes.toLocaleString("en"),
      `${Number((own[0]?.bitsPerWeight?.nominal ?? 0).toFixed(2))} / ${bits("bytes")} / ${bits("entropyCodedBytes")}`,
      percent(node?.quantized),
      percent(node?.agreement),
      node === null ? "**no**" : "yes",
      isNear(web?.logitSqnrDb, node?.logitSqnrDb) ? "yes" : "**no**",
    ];
  }
  faults.push(`${scheme}: ${why}`);
  return ["", "", "", "", "", "", "", "no layer fits"];
}

/**
 * What a runtime answers, against the float model in the same runtime.
 * @param {string} file
 * @param {string} against
 * @param {object} options
 * @param {string} target
 * @returns {Promise<Report["quality"]>}
 */
async function answers(file, against, options, target) {
  return (await evaluateFile(file, { ...options, against, target })).quality;
}

/**
 * Whether two runtimes have the same noise, or none but that of rounding.
 * @param {number | undefined} a
 * @param {number | undefined} b
 */
function isNear(a = Number.NaN, b = Number.NaN) {
  return Math.min(a, b) > 60 || Math.abs(a - b) < 0.1;
}

/** @param {number | null | undefined} fraction */
function percent(fraction) {
  return fraction == null ? "" : `${(100 * fraction).toFixed(1)} %`;
}

function page() {
  return `# Quantizers, as files that stock runtimes run

Each quantizer's schemes, on the weights of a real classifier, exported as standard ONNX (see
[exported decodings](exported-decodings.md)) and run by ONNX Runtime 1.30 in Node and as WebAssembly. Made by
\`node scripts/quantizerTable.mjs\`: nothing is trained; biases are corrected with the means of 100 of the images (8 for MobileNetV2). Biases
and weights of fewer than 256 numbers stay float32, as do weights whose shape a scheme does not fit: the third column counts.

${[...floats].map(([name, facts]) => `- ${name}: ${facts}`).join("\n")}

Bits per weight are those of a code alone, as stored with all that decoding needs, and with the codes entropy coded. Accuracy is top-1,
agreement the share of samples on which float and quantized model answer alike; "ort-web yes" means that it answers as ort-node
does: within 0.1 dB of signal to noise, where there is more noise than that of rounding.

${sections.join("\n")}`;
}
