/** Making and reading what is known of a value before anything runs. */
import { LowbitError } from "#base/errors";
import type { Dim, Node } from "#model/model";
import { isStatic } from "#model/ops/dims";
import { placeOf } from "#model/ops/operand";
import { type ForwardContext, type InferContext, type Known, type Op, unknown } from "#model/ops/types";
import { type ElementType, sizeOf, type Tensor, toNumbers } from "#model/tensor";

/** Longest content that is tracked: far above any real shape, far below any weight. */
export const contentLimit = 1024;

const integers = /^(u?int\d+|bool)$/;

/** Integers and booleans: what `content` may hold. */
export function isInteger(element: ElementType | undefined): boolean {
  return element !== undefined && integers.test(element);
}

/** What is known of a value that is there: everything. */
export function knownTensor(value: Tensor): Known {
  return { element: value.type, shape: value.dims, value };
}

/** What is known of input `index`; `unknown` where the node omits it. */
export function inputOf(context: InferContext, index: number): Known {
  return context.inputs[index] ?? unknown;
}

/** The elements of a small integer value, as far as they are known. */
export function contentOf(known: Known | undefined): readonly Dim[] | undefined {
  if (known?.content !== undefined) return known.content;
  const value = known?.value;
  if (value === undefined || !isInteger(value.type) || value.data.length > contentLimit) return undefined;
  return [...toNumbers(value)];
}

/** The elements of an integer value of which every one is known. */
export function integersOf(known: Known | undefined): readonly number[] | undefined {
  if (known?.value !== undefined && isInteger(known.value.type)) return [...toNumbers(known.value)];
  const content = known?.content;
  return isStatic(content) ? content : undefined;
}

/** The elements of a number tensor whose value is known. */
export function numbersOf(known: Known | undefined): ArrayLike<number> | undefined {
  if (known?.value !== undefined && known.value.type !== "string") return toNumbers(known.value);
  return integersOf(known);
}

/** Drops a content that is too long, incomplete in length, or wholly unknown. */
export function withContent(known: Known, content: readonly Dim[] | undefined): Known {
  const fits =
    content !== undefined &&
    content.length <= contentLimit &&
    isInteger(known.element) &&
    isStatic(known.shape) &&
    sizeOf(known.shape) === content.length;
  return fits && content.some((dim) => dim !== null) ? { ...known, content } : known;
}

/** Whether a tensor can have this shape: every dim a number, none below zero. */
export function isConcrete(shape: readonly Dim[] | undefined): shape is readonly number[] {
  return isStatic(shape) && shape.every((dim) => dim >= 0);
}

/** A shape of which only the rank is known. */
export function unknownDims(rank: number): readonly Dim[] {
  return Array.from({ length: rank }, () => null);
}

/**
 * The dims that `infer` states for an operator's outputs, with its inputs at hand: forward and infer cannot disagree
 * about shapes. Throws model/shape where infer cannot say, which for given inputs means that they do not fit together.
 */
export function outputDims(infer: Op["infer"], context: ForwardContext): (readonly number[])[] {
  const { node, opset } = context;
  const inputs = context.inputs.map((input) => input && knownTensor(input));
  return infer({ node, opset, inputs, inferGraph: () => [] }).map(({ shape }) => {
    if (isConcrete(shape)) return shape;
    throw cannotTake(node, context.inputs);
  });
}

/** model/shape: the inputs do not fit together, or the operator's parameters do not fit them. */
export function cannotTake(node: Node, inputs: ForwardContext["inputs"]): LowbitError {
  const shapes = inputs.map((input) => (input === undefined ? "none" : `[${input.dims.join(", ")}]`)).join(", ");
  return new LowbitError("model/shape", `${node.op} cannot take inputs of shapes ${shapes}`, { at: placeOf(node) });
}

/** What is known of a value that is one of two: only what holds of both. */
export function eitherOf(a: Known, b: Known): Known {
  const sameRank = a.shape !== undefined && a.shape.length === b.shape?.length;
  return {
    element: a.element === b.element ? a.element : undefined,
    shape: sameRank ? a.shape.map((dim, axis) => (dim === b.shape?.[axis] ? dim : null)) : undefined,
  };
}
