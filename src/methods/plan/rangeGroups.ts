/**
 * Which values must share scale and zero point: what an operator only moves (MaxPool, Reshape, …) keeps its codes, and codes
 * that are concatenated are cheapest when they already agree (peers.md §2.4).
 */
import { unitOutputs } from "#methods/plan/placement";
import type { Unit } from "#methods/plan/units";
import type { Range } from "#quant/observers/types";

/** The range of each value that travels as codes, shared where it must be, and the name of the group it shares it with. */
export function shareRanges(
  units: readonly Unit[],
  own: ReadonlyMap<string, Range>,
): ReadonlyMap<string, Range & { readonly group: string }> {
  const parent = new Map<string, string>();
  const find = (name: string): string => {
    let root = name;
    for (let up = parent.get(root); up !== undefined; up = parent.get(root)) root = up;
    return root;
  };
  const ranges = new Map(own);
  const union = (names: readonly string[]): void => {
    const roots = [...new Set(names.map(find))];
    const range = widest(roots.map((root) => ranges.get(root)));
    if (range === undefined) return;
    for (const root of roots.slice(1)) parent.set(root, roots[0]);
    ranges.set(roots[0], range);
  };
  // activations that a quantizer performs bound its range: no group may widen it
  const bounds = new Map<string, Range>();
  for (const unit of units) if (unit.activation !== undefined) bounds.set(unit.output, unit.activation);
  for (const unit of units) if (unit.kernel.kind === "moves") union([...unit.operands, ...unitOutputs(unit)]);
  for (const unit of units) {
    if (unit.node.op !== "Concat" || unit.constants.length > 0) continue;
    const names = [...unit.operands, unit.output];
    const together = widest(names.map((name) => ranges.get(find(name))));
    const members = [...ranges.keys()].filter((name) => names.some((other) => find(other) === find(name)));
    const allowed = members.every((name) => {
      const bound = bounds.get(name);
      return (
        bound === undefined || together === undefined || (together.low >= bound.low && together.high <= bound.high)
      );
    });
    if (allowed) union(names);
  }
  return new Map([...own.keys()].map((name) => [name, { ...(ranges.get(find(name)) as Range), group: find(name) }]));
}

function widest(ranges: readonly (Range | undefined)[]): Range | undefined {
  const known = ranges.filter((range) => range !== undefined);
  if (known.length === 0) return undefined;
  return { low: Math.min(...known.map(({ low }) => low)), high: Math.max(...known.map(({ high }) => high)) };
}
