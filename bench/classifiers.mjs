// The seven classifiers of ../shared, quantized by lowbit and by ONNX Runtime's own Python quantizer from the same 100 calibration
// samples, judged on all others in the same runtime and timed in turn. Prints a Markdown table.
//
//   npm run build && LOWBIT_PEER_PYTHON=…/python node bench/classifiers.mjs [name,…]
//
// The Python needs: pip install onnxruntime==1.30.0 onnx sympy numpy
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { classifiers, openClassifier } from "./classifierModels.mjs";

const { openOnnxFile } = await import("../dist/formats/onnx/onnxFile.node.js");
const { recipe } = await import("../dist/methods/recipes.js");
const { quantizeModel } = await import("../dist/verbs/quantizeModel.js");
const { createNodeEnvironment } = await import("../dist/verbs/nodeEnvironment.node.js");
const { sessionOpener } = await import("../dist/verbs/environment.js");
const { saveOnnxFile } = await import("../dist/formats/onnx/onnxFile.node.js");
const { evaluate } = await import("../dist/report/evaluate.js");
const { emptyCosts } = await import("../dist/targets/hostCosts.js");

const python = process.env.LOWBIT_PEER_PYTHON ?? "python3";
const rounds = 9;
const folder = mkdtempSync(join(tmpdir(), "lowbit-bench-"));
const environment = createNodeEnvironment(folder);
const openSession = sessionOpener(environment, environment.runtimes["ort-node"]);
const wanted = process.argv[2]?.split(",") ?? Object.keys(classifiers);

try {
  console.log("| model | quantizer | top-1 | drop | agreement | SQNR | bytes | speed-up |");
  console.log("|---|---|--:|--:|--:|--:|--:|--:|");
  for (const name of wanted) await compare(name);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

async function compare(name) {
  const { model, path, calibration, evaluation, classOffset, calibrationFile } = await openClassifier(name, folder);
  const files = [];
  for (const method of ["minmax", "percentile"]) {
    const file = join(folder, `${name}.${method}.onnx`);
    const script = fileURLToPath(new URL("peers/ort_quantize.py", import.meta.url));
    const peer = spawnSync(python, [script, path, calibrationFile, file, "--method", method], { encoding: "utf8" });
    if (peer.status !== 0) throw new Error(`the peer failed: ${peer.stderr}`);
    files.push([`ONNX Runtime, ${method}`, file]);
  }
  const own = join(folder, `${name}.lowbit.onnx`);
  const request = { recipe: recipe("w8a8"), openSession, target: "ort-node", calibration, costs: emptyCosts("bench") };
  await saveOnnxFile((await quantizeModel(model, request)).model, own);
  files.push(["lowbit w8a8", own]);

  const float = await openSession(model);
  const judged = [];
  for (const [label, file] of files) {
    const opened = await openOnnxFile(file);
    const session = await openSession(opened.model);
    const { quality } = await evaluate({ float, quantized: session }, evaluation, { classOffset });
    judged.push({ label, session, quality, bytes: statSync(file).size, times: [], opened });
  }
  const { inputs } = await evaluation.sample(0);
  const [first] = await float.time(inputs, 1);
  const runs = Math.max(3, Math.ceil(40 / first));
  const floatTimes = [];
  for (let round = 0; round < rounds; round++) {
    floatTimes.push(median(await float.time(inputs, runs)));
    for (const row of judged) row.times.push(median(await row.session.time(inputs, runs)));
  }
  const [{ quality: any }] = judged;
  console.log(
    `| ${name} | float, ${any.samples} samples | ${percent(any.float)} | | | | ${statSync(path).size} | ${median(floatTimes).toFixed(3)} ms |`,
  );
  for (const { label, quality, bytes, times, session, opened } of judged) {
    const speedup = median(times.map((ms, i) => floatTimes[i] / ms));
    console.log(
      `| | ${label} | ${percent(quality.quantized)} | ${(quality.drop * 100).toFixed(2)} | ${percent(quality.agreement)} | ${quality.logitSqnrDb.toFixed(1)} dB | ${bytes} | ${speedup.toFixed(2)}× |`,
    );
    await session.close();
    await opened.close();
  }
  await float.close();
}

function percent(share) {
  return `${(share * 100).toFixed(2)} %`;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
