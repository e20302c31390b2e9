// Quantizes one model with the inputs of a .npy file and prints one JSON line: seconds, and peak memory of this process and of the
// runtime's. Run by quantizeTime.mjs in a process of its own.
//
//   node bench/quantizeOnce.mjs MODEL CALIBRATION.npy OUTPUT ACTIVATIONS COST_CACHE
import { readdirSync, readFileSync } from "node:fs";

const { openOnnxFile, saveOnnxFile } = await import("../dist/formats/onnx/onnxFile.node.js");
const { openData } = await import("../dist/data/openData.node.js");
const { modelInputs } = await import("../dist/data/modelInputs.js");
const { recipe } = await import("../dist/methods/recipes.js");
const { quantizeModel } = await import("../dist/verbs/quantizeModel.js");
const { createNodeEnvironment } = await import("../dist/verbs/nodeEnvironment.node.js");
const { sessionOpener } = await import("../dist/verbs/environment.js");
const { emptyCosts } = await import("../dist/targets/hostCosts.js");

const [, , path, calibration, output, activations, cache] = process.argv;
const children = new Map();
const watch = setInterval(lookAtChildren, 10);

const start = performance.now();
const environment = createNodeEnvironment(cache);
const openSession = sessionOpener(environment, environment.runtimes["ort-node"]);
const { model } = await openOnnxFile(path);
const data = await openData(calibration, { inputs: modelInputs(model) });
const known = (await environment.costs.load("bench")) ?? emptyCosts("bench");
const feeds = async (index) => (await data.sample(index)).inputs;
const result = await quantizeModel(model, {
  recipe: { ...recipe("w8a8"), activations },
  openSession,
  target: "ort-node",
  calibration: { name: "bench", length: data.length, feeds },
  costs: known,
});
await environment.costs.save(result.costs);
await saveOnnxFile(result.model, output);
const seconds = (performance.now() - start) / 1000;
clearInterval(watch);
const own = peak("self");
const runtime = Math.max(0, ...children.values());
console.log(JSON.stringify({ seconds, nodeMB: own, runtimeMB: runtime, peakRssMB: own + runtime }));
process.exit(0);

function peak(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}

/** Peak memory of every process this one started, as long as it lives. */
function lookAtChildren() {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = Number(
        readFileSync(`/proc/${name}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ")[1],
      );
      if (parent === process.pid) children.set(name, peak(name));
    } catch {
      // it has ended between the two looks
    }
  }
}
