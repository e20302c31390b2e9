/**
 * Layers that could compute on weights that stay codes: MatMulNBits, dynamic int8, DynamicQuantizeLSTM. Which of them do is asked of
 * what was measured on this host, else of the runtime's table: a layer that would be slower than in float is decoded at load instead.
 */
import { matrixLayer, type MatrixLayer } from "#methods/plan/matrixLayer";
import type { Weight, WeightUse } from "#methods/plan/weights";
import type { Recipe } from "#methods/types";
import { intAttribute } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { Node } from "#model/model";
import type { ShapeMap } from "#model/shapes";
import { sizeOf } from "#model/tensor";
import type { BlockScheme } from "#quant/quantizeBlocks";
import { dtype } from "#quant/dtype";
import type { Scheme } from "#quant/scheme";
import type { UnitCost } from "#targets/hostCosts";
import { gains, type StoredForm, type StoredKernels } from "#targets/storedKernels";

export interface StoredLayer {
  readonly form: StoredForm;
  readonly node: Node;
  readonly bits: number;
  /** Rows of x, or time steps × batch; 1 where that is not known. */
  readonly rows: number;
  /** Weights of the layer, all together. */
  readonly weights: number;
  /** Of a matrix product; otherwise it is an LSTM. */
  readonly matrix?: MatrixLayer;
  /** Dims of an LSTM's weights. */
  readonly lstm?: { readonly w: readonly number[]; readonly r: readonly number[] };
  /** For MatMulNBits. */
  readonly blocks?: BlockScheme;
  /** Equal for layers that take equally long: the key of what was measured. */
  readonly key: string;
}

export interface LayerContext {
  readonly draft: GraphDraft;
  readonly shapes: ShapeMap;
  readonly weights: WeightsByName;
  readonly recipe: Pick<Recipe, "mode" | "smallestWeight">;
}

/** The layer that a use of a weight could be in this recipe; a string says why it computes in float. */
export function storedLayer(
  weight: Weight,
  use: WeightUse,
  scheme: Scheme,
  { draft, shapes, weights, recipe }: LayerContext,
): StoredLayer | string {
  const { mode } = recipe;
  if (mode === "dynamic" && use.node.op === "LSTM") {
    if (dtype(scheme.dtype).bits !== 8 || scheme.granularity.per !== "channel")
      return "DynamicQuantizeLSTM takes 8 bits and a scale per channel";
    const size = lstmWeights(use.node, weights, recipe.smallestWeight);
    if (typeof size === "string") return size;
    const steps = shapes.get(use.node.inputs[0])?.shape ?? [];
    const dims = steps.map((dim) => (typeof dim === "number" ? dim : 1));
    const rows = sizeOf(dims.slice(0, 2));
    const [w, r] = [1, 2].map((i) => weights.get(use.node.inputs[i])?.ref.dims ?? []);
    const key = `int8-dynamic | LSTM ${rows} rows, ${w.join("x")} ${r.join("x")}`;
    return { form: "int8-dynamic", node: use.node, bits: 8, rows, weights: size, lstm: { w, r }, key };
  }
  const layer = matrixLayer(weight, use, draft, shapes);
  if (typeof layer === "string") return layer;
  const { bits } = dtype(scheme.dtype);
  const { k, n } = layer.layout;
  const common = { node: use.node, bits, rows: layer.rows, weights: k * n, matrix: layer };
  const size = `${layer.rows} rows, ${k}x${n}`;
  if (mode === "dynamic") {
    if (bits !== 8 || !["tensor", "channel"].includes(scheme.granularity.per))
      return "integer kernels take 8 bits and a scale per channel";
    return { ...common, form: "int8-dynamic", key: `int8-dynamic | MatMul ${size}` };
  }
  const blocks = blockScheme(scheme);
  if (typeof blocks === "string") return blocks;
  const form = `${bits} bits, blocks of ${blocks.size}${blocks.symmetric ? "" : ", zero points"}`;
  return { ...common, form: "weight-only", blocks, key: `weight-only | MatMul ${size}, ${form}` };
}

/** The scheme as kernels for blocks can have it; a string says why they cannot. */
export function blockScheme(scheme: Scheme): BlockScheme | string {
  const { dtype: name, granularity, symmetric, range, full, powerOfTwo } = scheme;
  const { bits } = dtype(name);
  if (granularity.per !== "group") return "kernels for stored codes need groups";
  const { size } = granularity;
  if (bits !== 2 && bits !== 4 && bits !== 8) return `no kernel reads codes of ${bits} bits`;
  if (size < 16 || !Number.isInteger(Math.log2(size))) return `no kernel has blocks of ${size}: they are 16, 32, 64 …`;
  if (range.by !== "minmax" || full || powerOfTwo)
    return "codes for kernels are fitted to the extremes of their blocks";
  return { bits, size, symmetric };
}

export type WeightsByName = ReadonlyMap<string, Weight>;

/** Weights of an LSTM that DynamicQuantizeLSTM can compute; a string says why it cannot. */
function lstmWeights(node: Node, weights: WeightsByName, smallest: number): number | string {
  if (intAttribute(node, "layout", 0) !== 0) return "DynamicQuantizeLSTM takes time first";
  const both = [weights.get(node.inputs[1]), weights.get(node.inputs[2])];
  let sum = 0;
  for (const weight of both) {
    if (weight === undefined) return "its weights are not all constant";
    if (weight.uses.length > 1) return "its weights are shared";
    if (weight.uses[0].nested) return "it is inside a subgraph";
    if (weight.uses[0].by !== undefined) return "its weights are cut or joined before they are used";
    const size = sizeOf(weight.ref.dims);
    if (size < smallest) return `${weight.ref.name} has fewer than ${smallest} elements`;
    sum += size;
  }
  return sum;
}

export interface StoredKnowledge {
  readonly kernels: StoredKernels | undefined;
  /** What was measured on this host. */
  readonly costOf: (key: string) => UnitCost | undefined;
  readonly prefer: "speed" | "size";
}

export interface Choice {
  readonly codes: boolean;
  readonly why: string;
  /** Where it was measured. */
  readonly cost?: UnitCost;
}

/** Whether a layer computes on its codes, and why. */
export function choosesCodes(layer: StoredLayer, { kernels, costOf, prefer }: StoredKnowledge): Choice {
  const kernel =
    layer.matrix === undefined ? "DynamicQuantizeLSTM" : layer.form === "weight-only" ? "MatMulNBits" : "int8";
  if (kernels === undefined) return { codes: false, why: "nothing is known of the runtime's kernels for stored codes" };
  const cost = costOf(layer.key);
  if (cost !== undefined) {
    const compared = `measured ${cost.float.toFixed(1)} µs in float, ${cost.int8?.toFixed(1) ?? "∞"} µs with ${kernel}`;
    const codes = cost.int8 !== null && (prefer === "size" || cost.int8 < cost.float);
    return { codes, why: compared, cost };
  }
  const table =
    layer.matrix === undefined
      ? kernels.dynamicLstm
      : layer.form === "int8-dynamic"
        ? kernels.dynamicMatrix
        : kernels.matMulNBits[layer.blocks?.bits ?? 4];
  const size = `${layer.weights.toLocaleString("en")} weights at ${layer.rows === 1 ? "one row" : `${layer.rows} rows`}`;
  if (gains(table, layer.rows, layer.weights)) return { codes: true, why: `${kernel} is faster than float: ${size}` };
  if (prefer === "size") return { codes: true, why: `size was asked for; float would be faster: ${size}` };
  return { codes: false, why: `${kernel} is no faster than float: ${size}` };
}
