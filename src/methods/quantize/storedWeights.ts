import { LowbitError } from "#base/errors";
import { matrixLayer, type MatrixLayer } from "#methods/plan/matrixLayer";
import { blockScheme } from "#methods/plan/storedLayers";
import { findWeights, type Weight } from "#methods/plan/weights";
import type { Prepared } from "#methods/prepare";
import { writeDecodeAtLoad, writeHalf } from "#methods/quantize/decodeAtLoad";
import { DynamicInt8Writer } from "#methods/quantize/dynamicInt8";
import { writeDynamicLstm } from "#methods/quantize/dynamicLstm";
import { FunctionWeightsWriter } from "#methods/quantize/functionWeights";
import { SharedConstants } from "#methods/quantize/parameters";
import { writeWeightOnly } from "#methods/quantize/weightOnly";
import type { Compute, Plan, PlannedWeight } from "#methods/types";
import { integerScheme } from "#methods/weightScheme";
import { GraphDraft } from "#model/edit";
import type { FunctionDef } from "#model/model";
import { tensorScheme } from "#quant/quantizers/index";

export interface StoredWeightsOptions {
  readonly reduced: boolean;
  /** Mean per channel of what weighted layers read; biases are corrected by it where known. */
  readonly channelMeans: ReadonlyMap<string, ArrayLike<number>>;
}

/** Writes every weight that a plan stores in another form than static int8. Returns the functions that they call. */
export async function writeStoredWeights(
  draft: GraphDraft,
  { model, shapes }: Prepared,
  plan: Plan,
  { reduced, channelMeans }: StoredWeightsOptions,
): Promise<readonly FunctionDef[]> {
  const original = new GraphDraft(model.graph);
  const weights = new Map(findWeights(model, original).map((found) => [found.ref.name, found]));
  const computes = new Map(plan.nodes.map((row) => [row.node, row.compute]));
  const options = { constants: new SharedConstants(draft), channelMeans, opset: model.opsets.get("") ?? 0, reduced };
  const products = new DynamicInt8Writer(draft, options);
  const decoded = new FunctionWeightsWriter(draft, { ...options, functions: model.functions, seed: plan.seed });
  const layersOf = (weight: Weight, compute: Compute): MatrixLayer[] =>
    weight.uses.flatMap((use) => {
      if (computes.get(use.node.outputs[0]) !== compute || use.node.op === "Gather") return [];
      const layer = matrixLayer(weight, use, original, shapes);
      if (typeof layer === "string") throw mismatch(use.node.outputs[0], layer);
      return [layer];
    });
  for (const row of plan.weights) {
    if (row.storage === "float32" || row.storage === "dequantize") continue;
    const weight = weights.get(row.tensor);
    if (weight === undefined) throw mismatch(row.tensor, "it is no weight of this model");
    switch (row.storage) {
      case "float16":
        writeHalf(draft, weight);
        break;
      case "decode-at-load":
        await writeDecodeAtLoad(draft, weight, integerScheme(row.scheme), options);
        break;
      case "function":
        await decoded.write(weight, tensorScheme(row.scheme));
        break;
      case "matmul-nbits":
      case "gather-blocks":
        await writeWeightOnly(draft, weight, layersOf(weight, "weight-only"), blocksOf(row), options);
        break;
      case "integer": {
        const scheme = integerScheme(row.scheme);
        const [{ node, input }] = weight.uses;
        if (node.op !== "LSTM") await products.write(weight, layersOf(weight, "int8-dynamic"), scheme);
        else if (input === 1) {
          const recurrence = weights.get(node.inputs[2]);
          if (recurrence === undefined) throw mismatch(node.inputs[2], "it is no weight of this model");
          await writeDynamicLstm(draft, node, [weight, recurrence], scheme, options);
        }
      }
    }
  }
  return decoded.functions;
}

function blocksOf({ tensor, scheme: text }: PlannedWeight) {
  const blocks = blockScheme(integerScheme(text));
  if (typeof blocks === "string") throw mismatch(tensor, `${text}: ${blocks}`);
  return blocks;
}

function mismatch(what: string, why: string): LowbitError {
  return new LowbitError("plan/mismatch", `the plan does not fit this model: ${what}: ${why}`, {
    at: { tensor: what },
    hint: "make the plan again for this model and target",
  });
}
