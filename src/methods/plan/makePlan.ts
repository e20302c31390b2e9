import { type Diagnostic, LowbitError } from "#base/errors";
import type { ChannelTap, ObservedValue } from "#methods/calibrate/tapGraph";
import { answeringUnits } from "#methods/plan/answers";
import { type PlacementCosts, placeUnits, unitOutputs } from "#methods/plan/placement";
import { shareRanges } from "#methods/plan/rangeGroups";
import type { KernelLookup, Unit } from "#methods/plan/units";
import { findUnits } from "#methods/plan/units";
import { alreadyQuantized, halfAroundCodes, nothingLeft, quantizedBefore } from "#methods/plan/alreadyQuantized";
import { planFloat16 } from "#methods/plan/planFloat16";
import { type LayerDecision, type PlannedWeights, planWeights } from "#methods/plan/planWeights";
import { unmatched, wishes } from "#methods/plan/wishes";
import { findWeights } from "#methods/plan/weights";
import type { Prepared } from "#methods/prepare";
import { computesInHalf } from "#methods/recipes";
import { weightScheme } from "#methods/weightScheme";
import type { Plan, PlannedActivation, PlannedNode, PlannedWeight, Recipe, Stats } from "#methods/types";
import { intAttribute } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Model, Node } from "#model/model";
import { dtype } from "#quant/dtype";
import { observers } from "#quant/observers/index";
import type { Range } from "#quant/observers/types";
import { parseScheme, type Scheme, schemeText } from "#quant/scheme";
import type { UnitCost } from "#targets/hostCosts";
import type { StoredKernels } from "#targets/storedKernels";

/** What the target contributes to a plan. */
export interface PlanTarget {
  readonly name: string;
  readonly kernelOf: KernelLookup;
  /** Measured or modelled times; undefined: everything that can compute on codes does. */
  readonly costs?: PlacementCosts & { readonly label: "measured" | "modelled" };
  /** What it has for weights that stay codes; undefined: they are decoded when the model is loaded. */
  readonly storedKernels?: StoredKernels;
  /** What layers on stored codes were measured to cost, by `StoredLayer.key`. */
  readonly storedCost?: (key: string) => UnitCost | undefined;
}

export interface PlanOptions {
  readonly target: PlanTarget;
  readonly seed: number;
  /** Needed where activations are static. */
  readonly stats?: Stats;
  /** Where the placement by costs was tried out and improved: the units on codes, by first output (`refinePlacement`). */
  readonly placement?: ReadonlySet<string>;
}

/** What calibration should observe for a recipe: the values that may travel as codes, and the inputs of weighted layers. */
export async function valuesToObserve(
  prepared: Prepared,
  recipe: Recipe,
  kernelOf: KernelLookup,
): Promise<{ readonly values: readonly ObservedValue[]; readonly channels: readonly ChannelTap[] }> {
  const { model, shapes } = prepared;
  const { units } = recipe.mode === "static" ? await findUnits(model, shapes, kernelOf) : { units: [] };
  const channels = new Map<string, ChannelTap>();
  for (const { uses } of findWeights(model, new GraphDraft(model.graph))) {
    for (const { node, input } of uses) {
      const [x] = node.inputs;
      const shape = shapes.get(x)?.shape;
      if (
        input !== 1 ||
        !["Conv", "Gemm", "MatMul"].includes(node.op) ||
        shape === undefined ||
        intAttribute(node, "transA", 0) !== 0
      )
        continue;
      const axis = node.op === "Conv" ? 1 : shape.length - 1;
      const length = shape[axis];
      if (typeof length === "number" && shape.length >= 2)
        channels.set(x, { tensor: x, rank: shape.length, axis, length });
    }
  }
  const values = new Map<string, ObservedValue>();
  if (computesInHalf(recipe)) {
    const outputs = model.graph.nodes.flatMap((node) => node.outputs);
    for (const tensor of outputs) if (shapes.get(tensor)?.element === "float32") values.set(tensor, { tensor });
    return { values: [...values.values()], channels: [] };
  }
  for (const unit of units) {
    for (const tensor of [...unit.operands, ...unitOutputs(unit)]) {
      const shape = shapes.get(tensor)?.shape;
      const dims = shape?.every((dim) => typeof dim === "number") === true ? { dims: shape } : {};
      const fromZero = unit.activation?.low === 0 && tensor === unit.output ? { fromZero: true } : {};
      values.set(tensor, { tensor, ...dims, ...values.get(tensor), ...fromZero });
    }
  }
  return { values: [...values.values()], channels: [...channels.values()] };
}

/** Turns wishes into a scheme for every tensor, each with its reason. Pure: the same arguments give the same plan. */
export async function makePlan(prepared: Prepared, recipe: Recipe, options: PlanOptions): Promise<Plan> {
  const { model } = prepared;
  const { target, stats, seed } = options;
  const draft = new GraphDraft(model.graph);
  const wishOf = wishes(recipe);
  const before = alreadyQuantized(model);
  const diagnostics: Diagnostic[] = [...unmatched(model, recipe), ...quantizedBefore(before)];
  const about = { version: 1, recipe, target: target.name, seed, opset: model.opsets.get("") ?? 0 } as const;
  const refuse = (weights: readonly PlannedWeight[], unfit: PlannedWeights["unfit"] = []): void => {
    if (weights.some((row) => row.storage !== "float32")) return;
    const nothing = `recipe ${recipe.name} finds nothing to quantize in this model`;
    if (unfit.length > 0)
      throw new LowbitError("quant/scheme", `${nothing}: schemes fit none of its weights; ${firstOf(unfit)}`, {
        at: { tensor: unfit[0].tensor },
        hint: "take a scheme that fits, such as int8/channel or nf4/group:64; rules give layers schemes of their own",
      });
    const size = recipe.smallestWeight > 1 ? ` of ${recipe.smallestWeight} elements or more` : "";
    const message = `${nothing}: it has no float32 weights${size} that an operator can take in another form`;
    throw nothingLeft(model, before, message);
  };
  if (computesInHalf(recipe)) {
    const refusal = halfAroundCodes(model, before);
    if (refusal !== undefined) throw refusal;
    const half = await planFloat16({
      model,
      shapes: prepared.shapes,
      target: target.name,
      wishOf,
      ...(stats === undefined ? {} : { stats }),
    });
    refuse(half.weights);
    return { ...about, ...half, activations: [], diagnostics: [...diagnostics, ...half.diagnostics] };
  }
  const activationScheme = parseScheme(recipe.activations);
  const { units, why } =
    recipe.mode === "static" ? await findUnits(model, prepared.shapes, target.kernelOf) : { units: [], why: [] };

  let int8: ReadonlySet<Unit> = new Set();
  const reasons = new Map<string, string>(why);
  const costs = new Map<string, PlannedNode["cost"]>();
  if (recipe.mode === "static" && activationScheme !== null) {
    if (stats === undefined) {
      throw new LowbitError(
        "plan/no-calibration",
        `recipe ${recipe.name} needs the ranges of activations, and there is no calibration data`,
        {
          hint: "give --data a folder of typical inputs, or use --recipe w8a8-dynamic, which finds ranges as it runs",
        },
      );
    }
    const own = new Set(findWeights(model, draft).map(({ ref }) => ref.name));
    const answering = answeringUnits(model, units, prepared.shapes);
    const fixed = (unit: Unit): "float" | "int8" | undefined => {
      const values = [...unit.operands, ...unitOutputs(unit)];
      const unseen = values.find((name) => !stats.tensors.has(name));
      const wish = wishOf(unit.node);
      if (unseen !== undefined) reasons.set(unit.node.outputs[0], `no finite range was seen for ${unseen}`);
      else if (wish.activations === "float" || (unit.weight !== undefined && wish.weights === "float"))
        reasons.set(unit.node.outputs[0], wish.why);
      else if (unit.weight !== undefined && !isInt8(wish.weights))
        reasons.set(unit.node.outputs[0], `the runtime has no int8 kernel for ${wish.weights}`);
      else if (unit.weight !== undefined && !own.has(unit.weight.tensor))
        reasons.set(unit.node.outputs[0], "its weight is read by something that is no layer, or is an output");
      else if (answering.has(unit))
        reasons.set(unit.node.outputs[0], "it gives the scores of the answer, which 256 codes would make equal");
      else return recipe.prefer === "size" && unit.weight !== undefined ? "int8" : undefined;
      return "float";
    };
    const useful = worthPlacing(units);
    const table = target.costs ?? unmeasured;
    const placed = placeUnits({ units: useful, neededInFloat: neededInFloat(model, useful), fixed }, table).int8;
    int8 = options.placement === undefined ? placed : tried(useful, placed, options.placement, fixed, reasons);
    for (const unit of useful) {
      if (target.costs === undefined || fixed(unit) !== undefined) continue;
      const { float, int8: onCodes } = table.unit(unit);
      costs.set(unit.node.outputs[0], { float, int8: onCodes, label: target.costs.label });
    }
  }

  const placed = [...int8];
  const activations = activationScheme === null ? [] : planActivations(placed, stats, activationScheme);
  const { weights, layers, unfit } = planWeights({
    model,
    draft,
    shapes: prepared.shapes,
    recipe,
    wishOf,
    int8: new Set(placed.map((unit) => unit.node)),
    reasons,
    kernels: target.storedKernels,
    costOf: target.storedCost ?? (() => undefined),
    prefer: recipe.prefer,
  });
  const nodes = planNodes(model, units, int8, weights, layers, reasons, costs);
  if (placed.length === 0) refuse(weights, unfit);
  return { ...about, nodes, weights, activations, diagnostics: [...diagnostics, ...leftInFloat(unfit)] };
}

/** → "the first of 3, fc.weight: 18 columns are no …" */
function firstOf(unfit: PlannedWeights["unfit"]): string {
  const [{ tensor, why }] = unfit;
  return `${unfit.length === 1 ? "" : `the first of ${unfit.length}, `}${tensor}: ${why}`;
}

/** A warning for weights whose shape their scheme does not fit. */
function leftInFloat(unfit: PlannedWeights["unfit"]): Diagnostic[] {
  if (unfit.length === 0) return [];
  return [
    {
      code: "plan/unfit-scheme",
      level: "warning",
      message: `weights stay float32 whose shape their scheme does not fit; ${firstOf(unfit)}`,
      at: { tensor: unfit[0].tensor },
      hint: "a rule of a recipe can give them another scheme",
    },
  ];
}

/** Whether a unit's weights can have this scheme: 8 bits, a scale for the tensor or for each channel. */
function isInt8(text: string): boolean {
  const wish = weightScheme(text);
  return wish.kind === "integers" && dtype(wish.scheme.dtype).bits === 8 && wish.scheme.granularity.per !== "group";
}

/** The placement that won when whole models were timed, with the reason where it differs from the one by costs. */
function tried(
  units: readonly Unit[],
  placed: ReadonlySet<Unit>,
  placement: ReadonlySet<string>,
  fixed: (unit: Unit) => "float" | "int8" | undefined,
  reasons: Map<string, string>,
): Set<Unit> {
  const chosen = units.filter((unit) => {
    const forced = fixed(unit);
    return forced === undefined ? placement.has(unit.node.outputs[0]) : forced === "int8";
  });
  const int8 = new Set(chosen);
  for (const unit of units) {
    if (int8.has(unit) === placed.has(unit)) continue;
    reasons.set(
      unit.node.outputs[0],
      `the whole model measured faster with this ${int8.has(unit) ? "on codes" : "in float"}, whatever it costs alone`,
    );
  }
  return int8;
}

const unmeasured: PlacementCosts = {
  unit: (unit) => ({ float: unit.kernel.kind === "linear" ? 1000 : 1, int8: unit.kernel.kind === "linear" ? 0 : 0.5 }),
  quantize: () => 2,
  dequantize: () => 2,
};

/**
 * Units that can end up on codes at all: linear ones, and others connected to one through values. A lone Softmax or Transpose
 * would only pay for its borders.
 */
function worthPlacing(units: readonly Unit[]): Unit[] {
  const touching = new Map<string, Unit[]>();
  for (const unit of units)
    for (const name of [...unit.operands, ...unitOutputs(unit)])
      touching.set(name, [...(touching.get(name) ?? []), unit]);
  const reached = new Set<Unit>(units.filter((unit) => unit.kernel.kind === "linear"));
  for (const unit of reached)
    for (const name of [...unit.operands, ...unitOutputs(unit)])
      for (const next of touching.get(name) ?? []) reached.add(next);
  return units.filter((unit) => reached.has(unit));
}

function neededInFloat(model: Model, units: readonly Unit[]): Set<string> {
  const inside = new Map<Node, Unit>(
    units.flatMap((unit) => [
      [unit.node, unit] as const,
      ...(unit.activation === undefined ? [] : [[unit.activation.node, unit] as const]),
    ]),
  );
  const needed = new Set(model.graph.outputs.map(({ name }) => name));
  for (const node of model.graph.nodes) {
    const unit = inside.get(node);
    for (const name of node.inputs)
      if (unit === undefined || (!unit.operands.includes(name) && unit.activation?.node !== node)) needed.add(name);
  }
  return needed;
}

function planActivations(units: readonly Unit[], stats: Stats | undefined, scheme: Scheme): PlannedActivation[] {
  const own = new Map<string, Range>();
  const from = new Map<string, string>();
  const observer = observers[scheme.range.by];
  for (const unit of units) {
    for (const name of [...unit.operands, ...unitOutputs(unit)]) {
      const summary = stats?.tensors.get(name);
      if (own.has(name) || summary === undefined) continue;
      const fixed = knownRanges[unit.node.op];
      if (fixed !== undefined && unitOutputs(unit).includes(name) && unit.activation === undefined) {
        own.set(name, fixed);
        from.set(name, `${unit.node.op} gives values in [${fixed.low}, ${fixed.high}]`);
      } else {
        own.set(name, observer.range(summary, scheme.range, scheme));
        from.set(name, `${scheme.range.by} of ${stats?.samples} samples of ${stats?.data}`);
      }
    }
  }
  return [...shareRanges(units, own)].map(([tensor, { low, high, group }]) => ({
    tensor,
    scheme: schemeText(scheme),
    low,
    high,
    group,
    why: group === tensor ? (from.get(tensor) ?? "") : `${from.get(tensor)}; shared with ${group}`,
  }));
}

/** Outputs whose range follows from the operator. */
const knownRanges: Readonly<Record<string, Range>> = { Sigmoid: { low: 0, high: 1 }, Softmax: { low: 0, high: 1 } };

function planNodes(
  model: Model,
  units: readonly Unit[],
  int8: ReadonlySet<Unit>,
  weights: readonly PlannedWeight[],
  layers: ReadonlyMap<string, LayerDecision>,
  reasons: ReadonlyMap<string, string>,
  costs: ReadonlyMap<string, PlannedNode["cost"]>,
): PlannedNode[] {
  const unitOf = new Map(units.map((unit) => [unit.node, unit]));
  const weighted = new Set(weights.map((row) => row.tensor));
  const rows: PlannedNode[] = [];
  for (const node of model.graph.nodes) {
    const unit = unitOf.get(node);
    const [key] = node.outputs;
    const layer = layers.get(key);
    if (layer !== undefined) {
      rows.push({ node: key, name: node.name, op: node.op, output: key, ...layer });
      continue;
    }
    if (unit === undefined && !node.inputs.some((name) => weighted.has(name))) continue;
    const weight = node.inputs.find((name) => weighted.has(name));
    const cost = costs.get(key);
    const onCodes = unit !== undefined && int8.has(unit);
    const because =
      reasons.get(key) ??
      (cost === undefined
        ? onCodes
          ? "the runtime computes it on codes"
          : "stays in float"
        : costReason(onCodes, cost));
    rows.push({
      node: key,
      name: node.name,
      op: node.op,
      output: unit?.output ?? key,
      ...(weight === undefined ? {} : { weight }),
      compute: onCodes ? "int8" : "float",
      why: because,
      ...(cost === undefined ? {} : { cost }),
    });
  }
  return rows;
}

function costReason(onCodes: boolean, cost: NonNullable<PlannedNode["cost"]>): string {
  const { float, int8, label } = cost;
  const compared = `${label} ${float.toFixed(0)} µs in float, ${int8.toFixed(0)} µs on codes`;
  if (onCodes)
    return int8 <= float ? compared : `${compared}; its neighbours are on codes, and leaving them would cost more`;
  return int8 >= float ? compared : `${compared}; the borders around it would cost more than it gains`;
}
