/**
 * Which operators may compute in half precision: those whose schema takes float16 (all of ONNX's, compared schema by schema against
 * onnx.defs up to opset 26, but for the exceptions here). ONNX Runtime's CPU kernels are float32 for most of them; it inserts Casts
 * around those by itself, so the file is right everywhere and fast where there are kernels: on GPUs.
 */
import type { Node } from "#model/model";

/** Operators without float16, up to and including this opset; Infinity: in all. Those of numbers that are no activations too. */
const floatUntil: ReadonlyMap<string, number> = new Map([
  ["Celu", 27],
  ["CumSum", 13],
  ["IsInf", 19],
  ["Range", 26],
  ...[
    "NonMaxSuppression",
    "TfIdfVectorizer",
    "Upsample",
    // quantization has its own types, and scales want their precision
    "QuantizeLinear",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "QLinearConv",
    "QLinearMatMul",
    "ConvInteger",
    "MatMulInteger",
    // the type of what they give is an attribute, or another input's
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "Bernoulli",
    "Multinomial",
    "EyeLike",
    "CastLike",
    "HannWindow",
    "HammingWindow",
    "BlackmanWindow",
    "MelWeightMatrix",
    // no kernel sums this many products in half
    "DFT",
    "STFT",
    // their bodies decide for themselves
    "If",
    "Loop",
    "Scan",
    "SequenceMap",
    "Optional",
  ].map((op) => [op, Number.POSITIVE_INFINITY] as const),
]);

/** Operators of com.microsoft whose inputs and outputs are all of one float type. */
const microsoft = new Set([
  "BiasGelu",
  "FastGelu",
  "FusedMatMul",
  "Gelu",
  "QuickGelu",
  "SkipLayerNormalization",
  "SkipSimplifiedLayerNormalization",
]);

/** Why an operator cannot compute in half precision; undefined where it can. */
export function whyNotHalf({ op, domain, outputs }: Node, opset: number): string | undefined {
  if (domain === "com.microsoft" && microsoft.has(op)) return undefined;
  if (domain !== "") return `nothing is known of ${domain}:${op} in half precision`;
  if (opset <= (floatUntil.get(op) ?? 0)) return `${op} has no half precision`;
  if (op === "LayerNormalization" && outputs.length > 1) return "its mean and deviation are float32";
  return undefined;
}

/** Inputs that stay float32 in an operator that computes in half: Resize's scales. */
export function floatInputs({ op, domain }: Node): readonly number[] {
  return op === "Resize" && domain === "" ? [2] : [];
}
