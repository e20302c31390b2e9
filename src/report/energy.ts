/**
 * Energy of one inference, modelled: Horowitz's picojoules an operation times counted operations, and DRAM's picojoules times counted
 * bytes. Never a measurement; it compares two models under the same assumptions.
 *
 * Assumptions, also in the report's `model` text: every product is computed as wide as its operands are in the graph (codes where a
 * kernel computes on codes, floats elsewhere); weights come from DRAM once, as they lie in memory, which for weights that runtimes
 * decode at load is 32-bit floats; activations go to DRAM once for the node that writes them and once for each that reads them. Caches,
 * control and leakage are left out.
 */
import type { Model } from "#model/model";
import { dramPicojoule, dramSensitivity, floatAdd, floatMultiply, integerAdd, integerMultiply } from "#report/horowitz";
import type { EnergyReport } from "#report/types";
import { countWork, type StepWork, type Workload, type WorkloadOptions } from "#report/workload";

export interface EnergyOptions extends WorkloadOptions {
  /** Picojoules for 32 bits from or to DRAM. Default 640; sources range from 200 to 1,300. */
  readonly dramPicojoule?: number;
}

/** In picojoules. */
export interface NodeEnergy {
  readonly node: string;
  readonly op: string;
  /** → "float32", "int8×int8", "int4×int8" */
  readonly arithmetic: string;
  readonly macs: number;
  readonly products: number;
  readonly other: number;
  readonly weights: number;
  readonly activations: number;
}

/** In millijoules. */
export interface Energy {
  readonly total: number;
  /** Multiply-accumulates. */
  readonly products: number;
  /** All other arithmetic, counted as additions. */
  readonly other: number;
  /** DRAM traffic of weights, and of activations. */
  readonly weights: number;
  readonly activations: number;
  readonly macs: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly nodes: readonly NodeEnergy[];
  readonly assumed: readonly string[];
  readonly uncounted: readonly string[];
}

/** The energy of one inference of a model. */
export async function modelEnergy(model: Model, options: EnergyOptions = {}): Promise<Energy> {
  return energyOf(await countWork(model, options), options.dramPicojoule ?? dramPicojoule);
}

/** The energy of counted work. */
export function energyOf({ steps, assumed, uncounted }: Workload, dram: number): Energy {
  const nodes = steps.map((step) => nodeEnergy(step, dram / 4));
  const milli = (part: "products" | "other" | "weights" | "activations"): number =>
    nodes.reduce((sum, node) => sum + node[part], 0) * 1e-9;
  const [products, other, weights, activations] = [
    milli("products"),
    milli("other"),
    milli("weights"),
    milli("activations"),
  ];
  const count = (part: "macs" | "weightBytes" | "activationBytes"): number =>
    steps.reduce((sum, step) => sum + step[part] * step.times, 0);
  return {
    total: products + other + weights + activations,
    products,
    other,
    weights,
    activations,
    macs: count("macs"),
    weightBytes: count("weightBytes"),
    activationBytes: count("activationBytes"),
    nodes,
    assumed,
    uncounted,
  };
}

function nodeEnergy(step: StepWork, perByte: number): NodeEnergy {
  const { node, arithmetic, times, macs } = step;
  const integer = arithmetic.kind === "integer";
  const multiply = integer ? integerMultiply(...arithmetic.bits) : floatMultiply(arithmetic.bits);
  const add = integer ? integerAdd(32) : floatAdd(arithmetic.bits);
  // beside products, a kernel on codes adds up in int32; what it computes without products it computes in float32
  const plain = integer && macs === 0 ? floatAdd(32) : add;
  return {
    node: node.name || node.outputs[0],
    op: node.op,
    arithmetic: integer ? arithmetic.bits.map((bits) => `int${bits}`).join("×") : `float${arithmetic.bits}`,
    macs: macs * times,
    products: macs * times * (multiply + add),
    other: times * (step.flops * plain + step.rescaling * floatAdd(32)),
    weights: times * step.weightBytes * perByte,
    activations: times * step.activationBytes * perByte,
  };
}

/** What the total is made of, and the counts behind it. */
export type EnergyParts = Omit<Energy, "nodes" | "assumed" | "uncounted">;

/** The report's energy with what a reader needs to doubt it. */
export interface EnergyEvidence extends EnergyReport {
  readonly float: EnergyParts;
  readonly quantized: EnergyParts;
  /** The saving for other prices of DRAM. */
  readonly sensitivity: readonly { readonly dramPicojoule: number; readonly saving: number }[];
}

/** Compares a quantized model with its float parent. `saving` is the fraction of the float model's energy that is saved. */
export async function compareEnergy(
  float: Model,
  quantized: Model,
  options: EnergyOptions = {},
): Promise<EnergyEvidence> {
  const price = options.dramPicojoule ?? dramPicojoule;
  const work = [await countWork(float, options), await countWork(quantized, options)] as const;
  const at = (dram: number): readonly [Energy, Energy] => [energyOf(work[0], dram), energyOf(work[1], dram)];
  const saved = ([before, after]: readonly [Energy, Energy]): number =>
    before.total > 0 ? 1 - after.total / before.total : 0;
  const [before, after] = at(price);
  const sensitivity = dramSensitivity.map((dram) => ({ dramPicojoule: dram, saving: saved(at(dram)) }));
  const range = sensitivity.map(({ saving }) => saving * 100);
  const notes = [...new Set([...before.assumed, ...after.assumed])];
  const uncounted = new Set([...before.uncounted, ...after.uncounted]).size;
  return {
    label: "modelled",
    model: [
      `Horowitz 45 nm, DRAM ${price} pJ / 32 bit; products as wide as their operands, weights from DRAM once (decoded at load: as float32), activations written once and read once by each reader`,
      `saving ${percent(Math.min(...range))} to ${percent(Math.max(...range))} for DRAM ${dramSensitivity[0]} to ${dramSensitivity[dramSensitivity.length - 1]} pJ`,
      ...notes.map((note) => `taken as ${note}`),
      ...(uncounted === 0 ? [] : [`${uncounted} operators or sizes not known and not counted`]),
    ].join("; "),
    floatMilliJoule: before.total,
    quantizedMilliJoule: after.total,
    saving: saved([before, after]),
    float: partsOf(before),
    quantized: partsOf(after),
    sensitivity,
  };
}

function partsOf(energy: Energy): EnergyParts {
  const { total, products, other, weights, activations, macs, weightBytes, activationBytes } = energy;
  return { total, products, other, weights, activations, macs, weightBytes, activationBytes };
}

function percent(value: number): string {
  return `${value.toFixed(0).replace("-", "−")} %`;
}
