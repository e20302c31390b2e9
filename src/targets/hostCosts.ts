/**
 * What operators cost on one host and runtime, as measured there: a table that planning reads and that is kept between runs, so
 * that the same table gives the same plan. Times are microseconds on one thread.
 */

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
  /** By `unitSignature`. */
  readonly units: ReadonlyMap<string, UnitCost>;
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
  return { version: 1, host, units: new Map() };
}

/** JSON form, with sorted keys so that equal tables are equal files. */
export function costsToJson(costs: HostCosts): string {
  const units = Object.fromEntries([...costs.units].sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ ...costs, units }, null, 1)}\n`;
}

/** Undefined for anything that is not a table of this version: a damaged cache is measured again. */
export function costsFromJson(text: string): HostCosts | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const table = value as Partial<Record<keyof HostCosts, unknown>> | null;
  if (
    typeof table !== "object" ||
    table === null ||
    table.version !== 1 ||
    typeof table.host !== "string" ||
    typeof table.units !== "object" ||
    table.units === null
  )
    return undefined;
  const isCost = (row: unknown): row is UnitCost =>
    typeof row === "object" &&
    row !== null &&
    typeof (row as UnitCost).float === "number" &&
    (typeof (row as UnitCost).int8 === "number" || (row as UnitCost).int8 === null);
  const rows = Object.entries(table.units);
  if (!rows.every(([, row]) => isCost(row))) return undefined;
  // borders and saturates were written by this very module; rows are what hand edits would break
  return { ...(table as unknown as HostCosts), units: new Map(rows) };
}
