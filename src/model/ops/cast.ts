/** Cast and its kin: the same elements as another type. */
import { LowbitError } from "#base/errors";
import { intAttribute, stringAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { convert } from "#model/ops/convert";
import { contentOf, inputOf, isInteger, withContent } from "#model/ops/known";
import { operand, placeOf } from "#model/ops/operand";
import type { Known, Op } from "#model/ops/types";
import { type ElementType, elementTypeOf, packTensor, type Tensor, unpackTensor } from "#model/tensor";

/** Content survives where no bit of a size is lost: between integers of 32 bits and more. */
function converted({ element, shape, ...known }: Known, to: ElementType | undefined): Known {
  const wide = isInteger(element) && /^u?int(32|64)$/.test(to ?? "");
  return withContent({ element: to, shape }, wide ? contentOf({ element, shape, ...known }) : undefined);
}

function cast(node: Node, x: Tensor, to: ElementType): Tensor {
  const saturate = intAttribute(node, "saturate", 1) !== 0;
  return convert(x, to, { saturate, round: stringAttribute(node, "round_mode", "up") });
}

/** The type of attribute `to`, whose value is TensorProto.DataType; in operator set 1 it was the type's name. */
function target(node: Node): ElementType | undefined {
  const named = node.attributes.get("to")?.kind === "string";
  return named ? oldNames[stringAttribute(node, "to", "")] : elementTypeOf(intAttribute(node, "to", 0));
}

const oldNames: Readonly<Record<string, ElementType>> = {
  FLOAT: "float32",
  UINT8: "uint8",
  INT8: "int8",
  UINT16: "uint16",
  INT16: "int16",
  INT32: "int32",
  INT64: "int64",
  STRING: "string",
  BOOL: "bool",
  FLOAT16: "float16",
  DOUBLE: "float64",
  UINT32: "uint32",
  UINT64: "uint64",
};

function requireTarget(node: Node): ElementType {
  const to = target(node);
  if (to !== undefined) return to;
  throw new LowbitError("model/attribute", `${node.op} to a type that is not known`, { at: placeOf(node) });
}

export const Cast: Op = {
  domain: "",
  name: "Cast",
  infer: (context) => [converted(inputOf(context, 0), target(context.node))],
  forward: (context) => [cast(context.node, operand(context, 0), requireTarget(context.node))],
};

/** Cast to the type of the second input. */
export const CastLike: Op = {
  domain: "",
  name: "CastLike",
  infer: (context) => [converted(inputOf(context, 0), inputOf(context, 1).element)],
  forward: (context) => [cast(context.node, operand(context, 0), operand(context, 1).type)],
};

/** The same bits read as another type of the same width. */
export const BitCast: Op = {
  domain: "",
  name: "BitCast",
  infer: (context) => [{ element: target(context.node), shape: inputOf(context, 0).shape }],
  forward: (context) => {
    const x = operand(context, 0);
    return [unpackTensor(requireTarget(context.node), x.dims, packTensor(x))];
  },
};
