/** Axes: counted from the end when negative, given as an attribute in older operator sets and as an input since. */
import { LowbitError } from "#base/errors";
import { intAttribute, intsAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { contentOf, integersOf } from "#model/ops/known";
import { placeOf } from "#model/ops/operand";
import type { Known } from "#model/ops/types";

/** The axis as 0 … rank − 1. Throws model/attribute where the rank has no such axis. → −1 of rank 4 is 3 */
export function normalizeAxis(node: Node, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(normal) && normal >= 0 && normal < rank) return normal;
  throw new LowbitError("model/attribute", `${node.op} has no axis ${axis} in a value of rank ${rank}`, {
    at: placeOf(node),
  });
}

/** All axes as 0 … rank − 1, in the order given. */
export function normalizeAxes(node: Node, axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => normalizeAxis(node, axis, rank));
}

/** Attribute `axis` as 0 … rank − 1. */
export function axisAttribute(node: Node, fallback: number, rank: number, name = "axis"): number {
  return normalizeAxis(node, intAttribute(node, name, fallback), rank);
}

/**
 * Integers that were an attribute in older operator sets and are an input since: the attribute where there is one, else
 * the input. undefined: the node gives neither. null: it gives an input whose value is not known.
 */
export function integersGiven(
  node: Node,
  inputs: readonly (Known | undefined)[],
  attribute: string,
  index: number,
): readonly number[] | null | undefined {
  const given = intsAttribute(node, attribute);
  if (given !== undefined) return given;
  const input = inputs[index];
  return input === undefined ? undefined : (integersOf(input) ?? null);
}

/** As `integersGiven`, but each integer may be a symbol or null: for shapes that are only partly known. */
export function contentGiven(
  node: Node,
  inputs: readonly (Known | undefined)[],
  attribute: string,
  index: number,
): readonly Dim[] | null | undefined {
  const given = intsAttribute(node, attribute);
  if (given !== undefined) return given;
  const input = inputs[index];
  return input === undefined ? undefined : (contentOf(input) ?? null);
}

/** The index as 0 … size − 1. Throws model/shape where it points outside. → −1 of 5 is 4 */
export function normalizeIndex(node: Node, index: number, size: number): number {
  const normal = index < 0 ? index + size : index;
  if (Number.isInteger(normal) && normal >= 0 && normal < size) return normal;
  throw new LowbitError("model/shape", `${node.op}: index ${index} points outside an axis of ${size} elements`, {
    at: placeOf(node),
  });
}
