/**
 * What operators cost on one host and runtime, as measured there: a table that planning reads and that is kept between runs, so
 * that the same table gives the same plan. Times are microseconds on one thread.
 */
import * as v from "valibot";
import type { KernelSpeed } from "#targets/kernelSpeeds";

/** Time of turning values into codes or back: `call` for each, and `element` for each element. */
export interface LinearCost {
  readonly call: number;
  readonly element: number;
}

export interface BorderCosts {
  readonly quantize: LinearCost;
  readonly dequantize: LinearCost;
  /** Changes of memory layout around an image (rank 4) that leaves float convolutions for int8 ones, and back. */
  readonly layoutToCodes: LinearCost;
  readonly layoutToFloat: LinearCost;
}

export interface UnitCost {
  readonly float: number;
  /** null: the runtime has no int8 kernel for it after all. */
  readonly int8: number | null;
}

export interface HostCosts {
  readonly version: 1;
  /** Runtime with version, and the processor: "ort-node 1.30.0 · AMD EPYC". */
  readonly host: string;
  readonly borders?: BorderCosts;
  /** Whether int8 pair sums saturate at int16 here (x64 without VNNI). */
  readonly saturates?: boolean;
  /** Typical layers, float against quantized. */
  readonly speeds?: readonly KernelSpeed[];
  /** By `unitSignature`. */
  readonly units: ReadonlyMap<string, UnitCost>;
  /** What whole models, by their units and a first placement, were found to run fastest as; see `refinePlacement`. */
  readonly placements: ReadonlyMap<string, string>;
}

/** Keeps tables between runs. The library works without one; Node keeps a file in the user's cache folder. */
export interface CostStore {
  load(host: string): Promise<HostCosts | undefined>;
  save(costs: HostCosts): Promise<void>;
}

export function linearCost(cost: LinearCost, elements: number): number {
  return cost.call + cost.element * elements;
}

export function emptyCosts(host: string): HostCosts {
  return { version: 1, host, units: new Map(), placements: new Map() };
}

/** JSON form, with sorted keys so that equal tables are equal files. */
export function costsToJson(costs: HostCosts): string {
  const sorted = (rows: ReadonlyMap<string, unknown>): unknown =>
    Object.fromEntries([...rows].sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ ...costs, units: sorted(costs.units), placements: sorted(costs.placements) }, null, 1)}\n`;
}

const speed = v.object({
  id: v.string(),
  layer: v.string(),
  form: v.picklist(["uint8 × int8", "4-bit weights"]),
  floatMs: v.number(),
  quantizedMs: v.number(),
});
const linear = v.object({ call: v.number(), element: v.number() });
const schema = v.object({
  version: v.literal(1),
  host: v.string(),
  borders: v.optional(v.object({ quantize: linear, dequantize: linear, layoutToCodes: linear, layoutToFloat: linear })),
  saturates: v.optional(v.boolean()),
  speeds: v.optional(v.array(speed)),
  units: v.record(v.string(), v.object({ float: v.number(), int8: v.nullable(v.number()) })),
  placements: v.record(v.string(), v.string()),
});

/** Undefined for anything that is not a table of this version: a damaged cache is measured again. */
export function costsFromJson(text: string): HostCosts | undefined {
  try {
    const { units, placements, borders, saturates, speeds, ...table } = v.parse(schema, JSON.parse(text));
    return {
      ...table,
      ...(borders === undefined ? {} : { borders }),
      ...(saturates === undefined ? {} : { saturates }),
      ...(speeds === undefined ? {} : { speeds }),
      units: new Map(Object.entries(units)),
      placements: new Map(Object.entries(placements)),
    };
  } catch {
    return undefined;
  }
}
