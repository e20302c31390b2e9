/** Decides in what form each weight is stored, and with it which layers compute on stored codes. */
import { blockScheme, type Choice, choosesCodes, type StoredKnowledge, storedLayer } from "#methods/plan/storedLayers";
import { findWeights, type Weight, type WeightUse } from "#methods/plan/weights";
import type { WishOf } from "#methods/plan/wishes";
import { matrixView } from "#methods/plan/matrixView";
import type { Compute, PlannedNode, PlannedWeight, Recipe } from "#methods/types";
import { type WeightScheme, weightScheme } from "#methods/weightScheme";
import { intAttribute } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { Model, Node } from "#model/model";
import type { ShapeMap } from "#model/shapes";
import { sizeOf } from "#model/tensor";
import { unfit } from "#quant/quantizers/index";
import type { Scheme } from "#quant/scheme";

export interface WeightPlanning extends StoredKnowledge {
  readonly model: Model;
  readonly draft: GraphDraft;
  readonly shapes: ShapeMap;
  readonly recipe: Recipe;
  readonly wishOf: WishOf;
  /** Nodes that compute on static codes. */
  readonly int8: ReadonlySet<Node>;
  /** Why other nodes do not, by first output. */
  readonly reasons: ReadonlyMap<string, string>;
}

/** How a layer computes on the weights it got, where that is told. */
export type LayerDecision = Pick<PlannedNode, "compute" | "why" | "cost"> & { readonly weight: string };

export interface PlannedWeights {
  readonly weights: readonly PlannedWeight[];
  /** By the node's first output. */
  readonly layers: ReadonlyMap<string, LayerDecision>;
  /** Weights whose shape their scheme does not fit, and why. */
  readonly unfit: readonly { readonly tensor: string; readonly why: string }[];
}

type Form = Pick<PlannedWeight, "scheme" | "storage" | "why">;

export function planWeights(planning: WeightPlanning): PlannedWeights {
  const { model, draft, recipe, wishOf, int8 } = planning;
  const found = findWeights(model, draft);
  const context = { ...planning, weights: new Map(found.map((weight) => [weight.ref.name, weight])) };
  const layers = new Map<string, LayerDecision>();
  const refused: PlannedWeights["unfit"][number][] = [];
  const formOf = (weight: Weight): Form => {
    const { ref, uses } = weight;
    const onCodes = uses.find(({ node }) => int8.has(node));
    const others = uses.filter(({ node }) => !int8.has(node));
    const wish = wishOf((others[0] ?? uses[0]).node);
    const codes = wishOf((onCodes ?? uses[0]).node);
    const dequantize = (why: string): Form => ({ scheme: codes.weights, storage: "dequantize", why });
    const float = (why: string): Form =>
      onCodes === undefined
        ? { scheme: "float32", storage: "float32", why }
        : dequantize(`${codes.why}; layers that compute in float have a copy of their own: ${why}`);
    if (others.length === 0) return dequantize(codes.why);
    const scheme = weightScheme(wish.weights);
    if (scheme.kind === "float") return float(wish.why);
    const size = sizeOf(ref.dims);
    if (size === 0) return float("it is empty");
    if (size < recipe.smallestWeight) return float(`fewer than ${recipe.smallestWeight} elements`);
    if (onCodes !== undefined && scheme.kind !== "integers") return float(`its int8 codes are no ${wish.weights}`);
    if (scheme.kind === "function") {
      const { rows, columns } = matrixView(weight);
      const why = unfit(scheme.scheme, rows, columns);
      if (why !== undefined) {
        refused.push({ tensor: ref.name, why });
        return float(why);
      }
    }
    const decide = (use: WeightUse, compute: Compute, why: string, cost?: PlannedNode["cost"]): void => {
      layers.set(use.node.outputs[0], { compute, why, weight: ref.name, ...(cost === undefined ? {} : { cost }) });
    };
    const { storage, why } = storageOf(weight, scheme, context, decide);
    return { scheme: wish.weights, storage, why };
  };
  const weights = found.map((weight): PlannedWeight => {
    return { tensor: weight.ref.name, axis: weight.channelAxis, ...formOf(weight) };
  });
  return { weights, layers, unfit: refused };
}

type Context = WeightPlanning & { readonly weights: ReadonlyMap<string, Weight> };
type Decide = (use: WeightUse, compute: Compute, why: string, cost?: PlannedNode["cost"]) => void;

/** How codes are stored that no kernel reads. Operators of ONNX decode integers; a function also takes scales of a byte. */
function atLoad(wish: Exclude<WeightScheme, { readonly kind: "float" }>): "float16" | "decode-at-load" | "function" {
  if (wish.kind === "half") return "float16";
  return wish.kind === "function" || wish.scheme.powerOfTwo ? "function" : "decode-at-load";
}

const decoded = "stored small, decoded when the model is loaded";

function storageOf(
  weight: Weight,
  wish: Exclude<WeightScheme, { readonly kind: "float" }>,
  context: Context,
  decide: Decide,
): Pick<PlannedWeight, "storage" | "why"> {
  const { recipe, reasons } = context;
  if (recipe.mode === "static") {
    const why = reasons.get(weight.uses[0].node.outputs[0]) ?? "computes as fast as float";
    return { storage: atLoad(wish), why: `${decoded}: ${why}` };
  }
  if (wish.kind === "half") return { storage: "float16", why: `${decoded}: computes in float32, as fast as float` };
  if (wish.kind === "function") {
    const why = `no kernel computes on codes of ${wish.scheme.text}`;
    for (const use of weight.uses) decide(use, "float", why);
    return { storage: "function", why: `${decoded}: ${why}` };
  }
  const { scheme } = wish;
  const chosen =
    recipe.mode === "dynamic"
      ? dynamicStorage(weight, scheme, context, decide)
      : weightOnlyStorage(weight, scheme, context, decide);
  return { ...chosen, storage: chosen.storage === "decode-at-load" ? atLoad(wish) : chosen.storage };
}

function dynamicStorage(
  weight: Weight,
  scheme: Scheme,
  context: Context,
  decide: Decide,
): Pick<PlannedWeight, "storage" | "why"> {
  let onCodes = 0;
  let because = "";
  for (const use of weight.uses) {
    const choice = productChoice(weight, use, scheme, context);
    decide(use, choice.codes ? "int8-dynamic" : "float", choice.why, costOf(choice));
    if (choice.codes) onCodes++;
    because ||= choice.why;
  }
  if (onCodes === 0) return { storage: "decode-at-load", why: `${decoded}: ${because}` };
  const rest = weight.uses.length - onCodes;
  return {
    storage: "integer",
    why:
      rest === 0 ? because : `${because}; ${rest} other layers read the same codes, decoded when the model is loaded`,
  };
}

/** All layers that share a weight compute on its blocks, or none: one of them in float would keep a second copy in memory. */
function weightOnlyStorage(
  weight: Weight,
  scheme: Scheme,
  context: Context,
  decide: Decide,
): Pick<PlannedWeight, "storage" | "why"> {
  const choices = weight.uses.map((use) =>
    (use.node.op === "Gather" ? tableChoice : productChoice)(weight, use, scheme, context),
  );
  const refusal = choices.find(({ codes }) => !codes);
  weight.uses.forEach((use, i) => {
    const { why, ...rest } = refusal ?? choices[i];
    decide(use, refusal === undefined ? "weight-only" : "float", why, costOf(rest));
  });
  if (refusal !== undefined) return { storage: "decode-at-load", why: `${decoded}: ${refusal.why}` };
  const onlyTables = weight.uses.every(({ node }) => node.op === "Gather");
  return { storage: onlyTables ? "gather-blocks" : "matmul-nbits", why: choices[0].why };
}

function productChoice(weight: Weight, use: WeightUse, scheme: Scheme, context: Context): Choice {
  const { recipe, wishOf } = context;
  const wish = wishOf(use.node);
  if (recipe.mode === "dynamic" && wish.activations === "float") return { codes: false, why: wish.why };
  const layer = storedLayer(weight, use, scheme, context);
  if (typeof layer === "string") return { codes: false, why: layer };
  if (layer.matrix !== undefined && (layer.matrix.layout.transposed ? 0 : 1) !== weight.channelAxis)
    return { codes: false, why: "another layer reads the weight the other way round" };
  return choosesCodes(layer, context);
}

function tableChoice(
  { ref }: Weight,
  { node, nested, by }: WeightUse,
  scheme: Scheme,
  { kernels, prefer }: Context,
): Choice {
  const no = (why: string): Choice => ({ codes: false, why });
  const blocks = blockScheme(scheme);
  if (typeof blocks === "string") return no(blocks);
  const { dims } = ref;
  if (nested || by !== undefined || dims.length !== 2 || intAttribute(node, "axis", 0) !== 0)
    return no("it is no table of rows in the main graph");
  if ((dims[1] * blocks.bits) % 8 !== 0) return no(`rows of ${dims[1]} codes do not end with a byte`);
  if (kernels === undefined || (!kernels.gatherBlocks && prefer === "speed"))
    return no("decoded rows are looked up faster");
  return { codes: true, why: "rows are decoded as they are looked up: the table stays small in memory" };
}

function costOf({ cost }: Pick<Choice, "cost">): PlannedNode["cost"] {
  if (cost === undefined) return undefined;
  return { float: cost.float, int8: cost.int8 ?? Number.POSITIVE_INFINITY, label: "measured" };
}
