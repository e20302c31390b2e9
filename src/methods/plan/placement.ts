/**
 * Decides which units compute on codes: the division of the whole graph into float and int8 with the least total time, found
 * exactly as a minimum cut. Deciding layer by layer would ignore that every border between the two worlds costs a Q or a DQ and
 * a change of layout.
 */
import { CutProblem } from "#math/minimumCut";
import type { Unit } from "#methods/plan/units";

export interface PlacementCosts {
  /** Microseconds of a unit, its activation included, in float and on codes. */
  readonly unit: (unit: Unit) => { readonly float: number; readonly int8: number };
  /** Microseconds of turning a value into codes, and codes into the value. */
  readonly quantize: (value: string) => number;
  readonly dequantize: (value: string) => number;
}

export interface PlacementGraph {
  readonly units: readonly Unit[];
  /** Values read by something that is no unit (or is an output of the graph): they are needed in float. */
  readonly neededInFloat: ReadonlySet<string>;
  /** Units that must stay in float, or must compute on codes. */
  readonly fixed: (unit: Unit) => "float" | "int8" | undefined;
}

/** The units that should compute on codes, and what the division costs in all. */
export function placeUnits(
  graph: PlacementGraph,
  costs: PlacementCosts,
): { readonly int8: ReadonlySet<Unit>; readonly cost: number } {
  const problem = new CutProblem();
  const { source, sink } = CutProblem;
  const vertex = new Map(graph.units.map((unit) => [unit, problem.vertex()]));
  const producers = new Map<string, Unit>();
  const readers = new Map<string, Unit[]>();
  for (const unit of graph.units) {
    for (const name of unitOutputs(unit)) producers.set(name, unit);
    for (const name of new Set(unit.operands)) readers.set(name, [...(readers.get(name) ?? []), unit]);
  }
  const at = (unit: Unit): number => vertex.get(unit) as number; // every unit has one
  for (const unit of graph.units) {
    const cost = costs.unit(unit);
    const fixed = graph.fixed(unit);
    problem.edge(source, at(unit), fixed === "float" ? Number.POSITIVE_INFINITY : cost.int8);
    problem.edge(at(unit), sink, fixed === "int8" ? Number.POSITIVE_INFINITY : cost.float);
    if (unit.kernel.kind === "moves" && unit.kernel.followsCodes === true) {
      const before = producers.get(unit.operands[0]);
      problem.edge(before === undefined ? source : at(before), at(unit), Number.POSITIVE_INFINITY);
    }
  }
  for (const value of new Set([...producers.keys(), ...readers.keys()])) {
    const producer = producers.get(value);
    const users = readers.get(value) ?? [];
    // paid once when the value is made in float and any reader wants codes
    if (users.length > 0) {
      const wanted = problem.vertex();
      for (const user of users) problem.edge(wanted, at(user), Number.POSITIVE_INFINITY);
      problem.edge(producer === undefined ? source : at(producer), wanted, costs.quantize(value));
    }
    // paid once when it is made as codes and any reader wants floats; some kernels give floats for nothing
    if (producer === undefined || (producer.kernel.kind === "linear" && producer.kernel.floatOutput)) continue;
    if (graph.neededInFloat.has(value)) problem.edge(source, at(producer), costs.dequantize(value));
    else if (users.length > 0) {
      const wanted = problem.vertex();
      for (const user of users) problem.edge(at(user), wanted, Number.POSITIVE_INFINITY);
      problem.edge(wanted, at(producer), costs.dequantize(value));
    }
  }
  const { cost, sinkSide } = problem.solve();
  const int8 = new Set(graph.units.filter((unit) => sinkSide[at(unit)]));
  joinSandwiched(graph, costs, int8, producers, readers);
  return { cost, int8 };
}

/**
 * A float layer between two on codes needs a clamp to stay float (see quantize/protectFloats), a cost that depends on three
 * units at once and so is no part of the cut. Where computing on codes costs less than that, the layer joins its neighbours.
 */
function joinSandwiched(
  graph: PlacementGraph,
  costs: PlacementCosts,
  int8: Set<Unit>,
  producers: ReadonlyMap<string, Unit>,
  readers: ReadonlyMap<string, readonly Unit[]>,
): void {
  for (const unit of graph.units) {
    if (int8.has(unit) || unit.weight === undefined || graph.fixed(unit) === "float") continue;
    const before = producers.get(unit.operands[0]);
    const after = readers.get(unit.output) ?? [];
    if (before === undefined || !int8.has(before) || !after.some((reader) => int8.has(reader))) continue;
    const { float, int8: onCodes } = costs.unit(unit);
    if (onCodes <= float + costs.dequantize(unit.operands[0])) int8.add(unit);
  }
}

/** Values a unit makes: Split has several. */
export function unitOutputs(unit: Unit): readonly string[] {
  return unit.activation === undefined ? unit.node.outputs.filter((name) => name !== "") : [unit.output];
}
