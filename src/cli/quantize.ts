import { chosenRecipe, dataOptions, layerRules, type Parsed, picked } from "#cli/options";
import { watched } from "#cli/progress";
import { showReport } from "#cli/show";
import { quantizeTensors } from "#cli/tensors";
import { defaultOutput, quantizeFile, type QuantizeFileOptions, tensorFormat } from "#node";

const own = ["weights", "activations", "prefer", "calibrate", "minAgreement", "externalData", "measure", "keep"];

export async function quantize(model: string, parsed: Parsed): Promise<void> {
  const toWeights = /\.(safetensors|gguf)$/i.test((parsed.output as string | undefined) ?? "");
  if (toWeights || (await tensorFormat(model)) !== "onnx") return quantizeTensors(model, parsed);
  const recipe = await chosenRecipe(parsed.recipe as string | undefined);
  const name = recipe === undefined ? "quantized" : typeof recipe === "string" ? recipe : recipe.name;
  const output = (parsed.output as string | undefined) ?? defaultOutput(model, name);
  const options: QuantizeFileOptions = {
    ...dataOptions(parsed),
    ...picked(parsed, own),
    ...layerRules(parsed),
    ...(recipe === undefined ? {} : { recipe }),
    ...(typeof parsed.minSqnr === "number" ? { minSqnrDb: parsed.minSqnr } : {}),
  };
  const report = await watched(parsed.quiet === true, (job) => quantizeFile(model, output, { ...options, ...job }));
  showReport(report, parsed);
}
