import { LowbitError } from "#base/errors";
import type { KernelLookup } from "#methods/plan/units";
import { findUnits } from "#methods/plan/units";
import { isFloatNode, valueTypes } from "#methods/plan/valueTypes";
import type { Prepared } from "#methods/prepare";
import { computesInHalf } from "#methods/recipes";
import { writeFloat16 } from "#methods/quantize/float16";
import { writeStaticInt8 } from "#methods/quantize/staticInt8";
import { protectFloats } from "#methods/quantize/protectFloats";
import { protectProducts } from "#methods/quantize/protectProducts";
import { writeStoredWeights } from "#methods/quantize/storedWeights";
import type { Plan, Stats } from "#methods/types";
import { decoderDomain } from "#model/decoderCall";
import { GraphDraft } from "#model/edit";
import type { Model, Node } from "#model/model";

export interface QuantizeOptions {
  readonly kernelOf: KernelLookup;
  /** The host's int8 kernels saturate pair sums (x64 without VNNI): weights use one bit less. Default false. */
  readonly reducedRange?: boolean;
  /** What calibration learned: biases are corrected for the rounding of weights by it. */
  readonly stats?: Stats;
}

/** Carries a plan out. Returns a new model that shares every untouched weight with the prepared one. */
export async function quantize(prepared: Prepared, plan: Plan, options: QuantizeOptions): Promise<Model> {
  const { model, shapes } = prepared;
  if (computesInHalf(plan.recipe)) {
    const inFloat = new Set(plan.nodes.filter((row) => row.compute === "float").map((row) => row.node));
    const typeOf = valueTypes(model, shapes);
    const inHalf = (node: Node): boolean => isFloatNode(node, typeOf) && !inFloat.has(node.outputs[0]);
    return writeFloat16(model, { typeOf, computesInHalf: inHalf });
  }
  const draft = new GraphDraft(model.graph);
  const onCodes = new Set(plan.nodes.filter((row) => row.compute === "int8").map((row) => row.node));
  const { units } = await findUnits(model, shapes, options.kernelOf);
  const chosen = units.filter((unit) => onCodes.has(unit.node.outputs[0]));
  if (chosen.length !== onCodes.size) {
    const missing = [...onCodes].find((name) => !chosen.some((unit) => unit.node.outputs[0] === name));
    throw new LowbitError("plan/mismatch", `the plan computes ${missing} on codes, but this model cannot`, {
      at: { node: missing ?? "" },
      hint: "make the plan again for this model and target",
    });
  }
  const channelMeans = options.stats?.channelMeans ?? new Map<string, Float64Array>();
  const reduced = options.reducedRange ?? false;
  await writeStaticInt8(draft, plan, chosen, { reduced, channelMeans });
  const functions = await writeStoredWeights(draft, prepared, plan, { reduced, channelMeans });
  draft.removeUnused();
  await protectFloats(draft);
  protectProducts(draft);
  // what the file said of intermediate values is no longer true of all of them
  const graph = { ...draft.finish(), values: new Map() };
  const opsets = new Map(model.opsets);
  if (graph.nodes.some(({ domain }) => domain === "com.microsoft") && !opsets.has("com.microsoft"))
    opsets.set("com.microsoft", 1);
  if (functions.length === 0) return { ...model, opsets, graph };
  opsets.set(decoderDomain, 1);
  const irVersion = Math.max(model.irVersion, firstWithFunctions);
  return { ...model, irVersion, opsets, functions: [...model.functions, ...functions], graph };
}

/** The file version (IR) that may carry functions: onnx/docs/IR.md. */
const firstWithFunctions = 8;
