/**
 * Recipe → Plan: what a person wishes, and what will be done to every tensor, with the reason. Both are JSON: a plan can be
 * printed, compared, edited and replayed.
 */
import type { Diagnostic } from "#base/errors";
import type { Summary } from "#quant/summary";

/** How activations are handled: left alone, quantized with ranges found beforehand, or with ranges found at each run. */
export type ActivationMode = "float" | "static" | "dynamic";

/** A wish for some of the nodes: the last rule that matches wins. */
export interface RecipeRule {
  /**
   * Which nodes: a glob over node and output names (`features.*`, `*depthwise*`), or `op:Softmax` for every node of a type.
   */
  readonly match: string;
  /** Weight scheme for these nodes, of any quantizer; "float" leaves them as they are. */
  readonly weights?: string;
  /** "float" computes these nodes in float. */
  readonly activations?: string;
}

export interface Recipe {
  /** The name it was asked for by, for people. */
  readonly name: string;
  /** Scheme of the weights, of any quantizer: "int8/channel", "kmeans:16"; "float" leaves them. */
  readonly weights: string;
  /** Scheme of the activations of layers that compute on codes, e.g. "uint8/asymmetric"; "float" for weight-only recipes. */
  readonly activations: string;
  readonly mode: ActivationMode;
  readonly rules: readonly RecipeRule[];
  /**
   * What is worth a slower layer: "speed" computes a layer in float where that is faster (its weights are still stored small),
   * "size" quantizes all it can. Default "speed".
   */
  readonly prefer: "speed" | "size";
  /** Weights of fewer elements stay float32: packing them saves less than its bookkeeping costs. Default 1,024. */
  readonly smallestWeight: number;
}

/** How a layer computes. */
export type Compute =
  /** On its float weights, untouched or decoded once when the model is loaded. */
  | "float"
  /** Codes in, int32 sums, codes or floats out. */
  | "int8"
  /** As int8, with the activations' scale found at each run. */
  | "int8-dynamic"
  /** Weights decoded block by block inside the kernel (MatMulNBits). */
  | "weight-only"
  /** In half precision. */
  | "float16";

/** How a weight is written. */
export type Storage =
  /** As it was. */
  | "float32"
  /** Integer codes and a DequantizeLinear that the runtime fuses into the layer. */
  | "dequantize"
  /** Integer codes, decoded by Cast, Sub and Mul, which runtimes evaluate once at load: small on disk, float in memory. */
  | "decode-at-load"
  /** Codes of any scheme and a call of a function that decodes them, evaluated once at load: small on disk, float in memory. */
  | "function"
  /** MatMulNBits: packed codes, low bits first, in blocks along the reduction axis. */
  | "matmul-nbits"
  /** GatherBlockQuantized. */
  | "gather-blocks"
  /** Codes that an integer kernel reads directly (MatMulInteger). */
  | "integer"
  | "float16";

export interface PlannedNode {
  /** Identified by its first output, which is unique in a graph. */
  readonly node: string;
  readonly name: string;
  readonly op: string;
  /** The value that leaves it, behind a Relu or Clip that its quantizer performs. */
  readonly output: string;
  /** Its weight, where it has one. */
  readonly weight?: string;
  readonly compute: Compute;
  readonly why: string;
  /** Costs the decision rested on, in microseconds, and where they come from. */
  readonly cost?: { readonly float: number; readonly int8: number; readonly label: "measured" | "modelled" };
}

export interface PlannedWeight {
  readonly tensor: string;
  /** As it was wished; "float32" when it stays. */
  readonly scheme: string;
  readonly storage: Storage;
  /** Axis of the output channels, or of the reduction for groups. */
  readonly axis: number;
  readonly why: string;
}

export interface PlannedActivation {
  readonly tensor: string;
  readonly scheme: string;
  readonly low: number;
  readonly high: number;
  /** Tensors of one name share scale and zero point. */
  readonly group: string;
  readonly why: string;
}

export interface Plan {
  readonly version: 1;
  readonly recipe: Recipe;
  readonly target: string;
  readonly seed: number;
  /** Operator set that the output needs. */
  readonly opset: number;
  readonly nodes: readonly PlannedNode[];
  readonly weights: readonly PlannedWeight[];
  readonly activations: readonly PlannedActivation[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What calibration learned, per tensor; JSON. */
export interface Stats {
  readonly version: 1;
  readonly samples: number;
  /** Name of the data; "random" when it was made up. */
  readonly data: string;
  readonly tensors: ReadonlyMap<string, Summary>;
  /** Mean of each channel of what weighted layers read: what a weight's rounding error is multiplied with on average. */
  readonly channelMeans: ReadonlyMap<string, Float64Array>;
}
