/**
 * Operators that only move elements of their first input: each is a shape and a list of offsets. Inference moves the
 * known content of a shape with the same list with which `forward` moves the elements of a tensor.
 */
import type { Dim, Node } from "#model/model";
import { isStatic } from "#model/ops/dims";
import { cannotTake, contentLimit, contentOf, isConcrete, knownTensor, withContent } from "#model/ops/known";
import { operand } from "#model/ops/operand";
import { checkSize, take, withDims } from "#model/ops/strides";
import { type Known, type Op, unknown } from "#model/ops/types";
import { sizeOf } from "#model/tensor";

/** What a move is planned from. Values of the inputs are there in `forward`, and in `infer` where they are constant. */
export interface MoveContext {
  readonly node: Node;
  readonly opset: number;
  readonly inputs: readonly (Known | undefined)[];
  /** The first input. */
  readonly x: Known;
}

export interface Move {
  readonly shape: readonly Dim[] | undefined;
  /**
   * Per output element the offset of its input element; negative for "none": zero. "same": the elements stay in order.
   * undefined: not known, because a shape or an input's value is not.
   */
  readonly offsets?: "same" | (() => ArrayLike<number>);
}

/** Nothing is known of where the elements go. */
export const unplanned: Move = { shape: undefined };

/** An operator that moves elements of input 0: `plan` gives one move per output. */
export function movement(name: string, plan: (context: MoveContext) => Move | readonly Move[]): Op {
  const moves = (context: MoveContext): readonly Move[] => {
    const planned = plan(context);
    return "shape" in planned ? [planned] : planned;
  };
  return {
    domain: "",
    name,
    infer: ({ node, opset, inputs }) => {
      const x = inputs[0] ?? unknown;
      return moves({ node, opset, inputs, x }).map(({ shape, offsets }) =>
        withContent({ element: x.element, shape }, contentAt(x, shape, offsets)),
      );
    },
    forward: (context) => {
      const { node, opset } = context;
      const x = operand(context, 0);
      const inputs = context.inputs.map((input) => input && knownTensor(input));
      return moves({ node, opset, inputs, x: knownTensor(x) }).map(({ shape, offsets }) => {
        if (isConcrete(shape) && offsets === "same" && sizeOf(shape) === sizeOf(x.dims)) return withDims(x, shape);
        if (isConcrete(shape) && typeof offsets === "function") {
          checkSize(x.type, shape); // before the offsets, which need memory too
          return take(x, shape, offsets());
        }
        throw cannotTake(node, context.inputs);
      });
    },
  };
}

function contentAt(x: Known, shape: Move["shape"], offsets: Move["offsets"]): readonly Dim[] | undefined {
  const content = contentOf(x);
  if (content === undefined || offsets === undefined || !isStatic(shape) || sizeOf(shape) > contentLimit)
    return undefined;
  if (offsets === "same") return content;
  return Array.from(offsets(), (offset) => (offset < 0 ? 0 : content[offset]));
}
