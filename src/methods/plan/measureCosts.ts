/**
 * Measures what each unit of a model costs in float and on codes: the whole model is profiled twice, once as it is and once with
 * everything on codes, so that every kernel runs in the company it will have. What is known already is not measured again.
 */
import type { JobOptions } from "#base/progress";
import { throwIfAborted } from "#base/interrupt";
import { type PlacementCosts, unitOutputs } from "#methods/plan/placement";
import type { Unit } from "#methods/plan/units";
import type { Prepared } from "#methods/prepare";
import { protectFloats } from "#methods/quantize/protectFloats";
import { protectProducts } from "#methods/quantize/protectProducts";
import { writeStaticInt8 } from "#methods/quantize/staticInt8";
import type { Plan } from "#methods/types";
import { GraphDraft } from "#model/edit";
import type { Model } from "#model/model";
import { canProfile, type OpenSession, type Session, type Tensors } from "#model/session";
import { sizeOf } from "#model/tensor";
import { type HostCosts, linearCost, type UnitCost } from "#targets/hostCosts";

/**
 * What decides a unit's time: operator, attributes, shapes, and the activation that comes along. Names do not matter, so equal
 * layers of any model share a row.
 */
export function unitSignature({ node, activation }: Unit, { model, shapes }: Prepared): string {
  const shapeOf = (name: string): string => {
    const dims = model.graph.initializers.get(name)?.dims ?? shapes.get(name)?.shape;
    return name === "" ? "-" : (dims ?? ["?"]).join("x");
  };
  const attributes = [...node.attributes].flatMap(([name, { kind, value }]) =>
    kind === "int" || kind === "ints" || kind === "string" || kind === "float" ? [`${name}=${value.toString()}`] : [],
  );
  const parts = [
    node.op,
    node.inputs.map(shapeOf).join(" "),
    node.outputs.map(shapeOf).join(" "),
    attributes.sort().join(" "),
  ];
  return [...parts, activation?.node.op ?? ""].join(" | ").replace(/[ |]+$/, "");
}

export interface MeasureOptions extends JobOptions {
  readonly openSession: OpenSession;
  /** One realistic set of inputs. */
  readonly feeds: Tensors;
  /** Profiled runs of each form. Default: as many as fit in about 0.15 s, 10 to 40. */
  readonly rounds?: number;
}

/** The table with rows for all of this model's units. The session must be able to profile; otherwise the table comes back as it was. */
export async function measureUnits(
  prepared: Prepared,
  units: readonly Unit[],
  known: HostCosts,
  options: MeasureOptions,
): Promise<HostCosts> {
  const keys = units.map((unit) => unitSignature(unit, prepared));
  if (keys.every((key) => known.units.has(key))) return known;
  const floats = await profileUnits(tagged(prepared.model, units), options);
  options.onProgress?.({ stage: "measure layers", done: 1, total: 2 });
  throwIfAborted(options.signal);
  if (floats === undefined) return known;
  const onCodes = await profileUnits(await taggedOnCodes(prepared, units), options);
  options.onProgress?.({ stage: "measure layers", done: 2, total: 2 });
  if (onCodes === undefined) return known;
  const measured = new Map<string, { float: number[]; int8: (number | null)[] }>();
  units.forEach((unit, i) => {
    const row = measured.get(keys[i]) ?? { float: [], int8: [] };
    row.float.push(floats.get(i)?.us ?? 0);
    const found = onCodes.get(i);
    // a linear unit that ran in float between Q and DQ was not fused: it has no int8 kernel here
    row.int8.push(
      unit.kernel.kind === "linear" &&
        (found === undefined || !/^QLinear|^QGemm|Integer|^DynamicQuantize/.test(found.op))
        ? null
        : (found?.us ?? 0),
    );
    measured.set(keys[i], row);
  });
  const rows = new Map(known.units);
  for (const [key, { float, int8 }] of measured) {
    if (rows.has(key)) continue;
    const usable = int8.filter((us) => us !== null);
    rows.set(key, {
      float: median(float),
      int8: usable.length < int8.length ? null : median(usable),
    } satisfies UnitCost);
  }
  return { ...known, units: rows };
}

/** Costs as placement asks for them. A unit without a row, or without an int8 kernel, stays in float. */
export function placementCosts(prepared: Prepared, table: HostCosts): PlacementCosts & { readonly label: "measured" } {
  const { shapes } = prepared;
  const elements = (value: string): number =>
    sizeOf((shapes.get(value)?.shape ?? []).map((dim) => (typeof dim === "number" ? dim : 1)));
  const border =
    (kind: "quantize" | "dequantize", layout: "layoutToCodes" | "layoutToFloat") =>
    (value: string): number => {
      const { borders } = table;
      if (borders === undefined) return 0;
      const n = elements(value);
      const image = shapes.get(value)?.shape?.length === 4;
      return linearCost(borders[kind], n) + (image ? linearCost(borders[layout], n) : 0);
    };
  return {
    label: "measured",
    unit(unit) {
      const row = table.units.get(unitSignature(unit, prepared));
      return { float: row?.float ?? 0, int8: row?.int8 ?? Number.POSITIVE_INFINITY };
    },
    quantize: border("quantize", "layoutToCodes"),
    dequantize: border("dequantize", "layoutToFloat"),
  };
}

interface Timed {
  readonly us: number;
  readonly op: string;
}

/** Kernel times by unit index: names of units carry `@index@`, which survives the runtime's renaming of fused nodes. */
async function profileUnits(model: Model, options: MeasureOptions): Promise<Map<number, Timed> | undefined> {
  const session: Session = await options.openSession(model);
  try {
    if (!canProfile(session)) return undefined;
    const [first] = await session.time(options.feeds, 1);
    const rounds = options.rounds ?? Math.max(10, Math.min(40, Math.ceil(150 / Math.max(first, 0.01))));
    const times = new Map<number, Timed>();
    for (const kernel of await session.profile(options.feeds, rounds)) {
      const match = /@(\d+)@/.exec(kernel.node);
      if (match === null) continue;
      const index = Number(match[1]);
      times.set(index, { us: (times.get(index)?.us ?? 0) + kernel.medianUs, op: times.get(index)?.op ?? kernel.op });
    }
    return times;
  } finally {
    await session.close();
  }
}

/** The model with every unit's node, activation and outputs named after the unit's index. */
function tagged(model: Model, units: readonly Unit[]): Model {
  const draft = new GraphDraft(model.graph);
  units.forEach((unit, i) => tag(draft, unit, i));
  return { ...model, graph: draft.finish() };
}

function tag(draft: GraphDraft, unit: Unit, i: number): void {
  draft.update(unit.node, { name: `@${i}@` });
  if (unit.activation !== undefined && draft.current(unit.activation.node) !== undefined)
    draft.update(unit.activation.node, { name: `@${i}@activation` });
  const names = new Set([...unit.node.outputs, ...(unit.activation?.node.outputs ?? [])]);
  let k = 0;
  for (const name of names)
    if (name !== "" && !draft.isOutput(name) && draft.producer(name) !== undefined)
      draft.rename(name, draft.freshName(`@${i}@${k++}`));
}

/** Everything on codes, with names that tell the units apart. */
async function taggedOnCodes(prepared: Prepared, units: readonly Unit[]): Promise<Model> {
  const { graph, ...model } = await onCodes(prepared, units);
  const draft = new GraphDraft(graph);
  units.forEach((unit, i) => {
    const node = draft.producer(unit.output) ?? unit.node;
    tag(draft, { ...unit, node }, i);
  });
  return { ...model, graph: draft.finish() };
}

/** The model with these units on codes, over made-up ranges: what a plan would write, as far as time goes. */
export async function onCodes(prepared: Prepared, units: readonly Unit[]): Promise<Model> {
  const draft = new GraphDraft(prepared.model.graph);
  const scheme = { weights: "int8/channel", activations: "uint8/asymmetric" };
  const values = new Set(units.flatMap((unit) => [...unit.operands, ...unitOutputs(unit)]));
  const plan: Plan = {
    version: 1,
    recipe: { ...scheme, name: "measure", mode: "static", rules: [], prefer: "size", smallestWeight: 1 },
    target: "",
    seed: 0,
    opset: 0,
    nodes: [],
    weights: units.flatMap(({ weight }) =>
      weight === undefined ? [] : [{ ...weight, scheme: scheme.weights, storage: "dequantize" as const, why: "" }],
    ),
    activations: [...values].map((tensor) => ({
      tensor,
      scheme: scheme.activations,
      low: 0,
      high: 6,
      group: tensor,
      why: "",
    })),
    diagnostics: [],
  };
  await writeStaticInt8(draft, plan, units, { reduced: false, channelMeans: new Map() });
  await protectFloats(draft);
  protectProducts(draft);
  return { ...prepared.model, graph: { ...draft.finish(), values: new Map() } };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
