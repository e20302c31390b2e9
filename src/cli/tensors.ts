/** Files of weights, which have no graph to run: quantize and convert. */
import {
  LowbitError,
  type TensorReport,
  convertTensorFile,
  defaultTensorOutput,
  quantizeTensorFile,
  tensorReportText,
} from "#node";
import { layerRules, type Parsed, picked } from "#cli/options";
import { watched } from "#cli/progress";
import { print, terminal } from "#cli/show";

/** What asks for samples to run, which weights alone cannot. */
const graphOnly = ["recipe", "activations", "data", "calibrate", "allowRandomData", "html", "prefer", "externalData"];

export async function quantizeTensors(file: string, parsed: Parsed): Promise<void> {
  const [unusable] = graphOnly.filter((name) => parsed[name] !== undefined);
  if (unusable !== undefined) {
    const option = `--${unusable.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new LowbitError("usage/argument", `${option} needs a model that runs, and files of weights do not`, {
      hint: "quantize the model as ONNX, or give --weights alone",
    });
  }
  const given = parsed.output as string | undefined;
  const weights =
    (parsed.weights as string | undefined) ?? (/\.gguf$/i.test(given ?? file) ? "gguf:q8_0" : "int8/channel");
  const output = given ?? defaultTensorOutput(file, weights);
  const options = { ...picked(parsed, ["keep", "seed", "shardBytes"]), ...layerRules(parsed), weights };
  show(await watched(parsed.quiet === true, (job) => quantizeTensorFile(file, output, { ...options, ...job })), parsed);
}

export async function convert(file: string, output: string, parsed: Parsed): Promise<void> {
  const options = picked(parsed, ["weights", "shardBytes"]);
  show(await watched(parsed.quiet === true, (job) => convertTensorFile(file, output, { ...options, ...job })), parsed);
}

function show(report: TensorReport, { json }: Parsed): void {
  print(json === true ? JSON.stringify(report) : tensorReportText(report, terminal()));
}
