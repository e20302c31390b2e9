/** TypeProto ↔ ValueType. */
import { type Context, exactInteger, keepUnknown, refuse } from "#formats/onnx/context";
import type { Message } from "#formats/onnx/schema";
import type { Dim, ValueType } from "#model/model";
import { elementTypeOf, elementTypes } from "#model/tensor";

export function readType(proto: Message<"Type">, context: Context): ValueType {
  const more = {
    ...(proto.denotation === undefined ? {} : { denotation: proto.denotation }),
    ...keepUnknown(proto),
  };
  if (proto.tensorType !== undefined) return { ...readTensorType(proto.tensorType, context), ...more };
  const inner = proto.sequenceType?.elemType ?? proto.optionalType?.elemType ?? proto.mapType?.valueType;
  if (inner === undefined) {
    if (proto.sequenceType !== undefined || proto.optionalType !== undefined || proto.mapType !== undefined)
      throw refuse(context, proto, "onnx/invalid", "a sequence, optional or map type does not say of what");
    const { unknown = new Uint8Array(0), ...rest } = more;
    return { kind: "opaque", bytes: unknown, ...rest };
  }
  const of = readType(inner, context);
  if (proto.sequenceType !== undefined) return { kind: "sequence", of, ...more };
  if (proto.optionalType !== undefined) return { kind: "optional", of, ...more };
  return { kind: "map", key: proto.mapType?.keyType ?? 0, of, ...more };
}

function readTensorType(proto: Message<"TensorType">, context: Context): ValueType & { kind: "tensor" } {
  const code = proto.elemType ?? 0;
  const element = elementTypeOf(code);
  const dims = proto.shape === undefined ? undefined : (proto.shape.dim ?? []);
  return {
    kind: "tensor",
    element,
    shape: dims?.map((dim) => readDim(dim, context)),
    ...(element === undefined ? { code } : {}),
    ...(dims?.some((dim) => dim.denotation !== undefined)
      ? { denotations: dims.map((dim) => dim.denotation ?? "") }
      : {}),
  };
}

/** Exporters write −1 and the empty name for "unknown" as well. */
function readDim(proto: Message<"Dimension">, context: Context): Dim {
  if (proto.dimParam !== undefined && proto.dimParam !== "") return proto.dimParam;
  if (proto.dimValue === undefined) return null;
  const size = exactInteger(proto.dimValue, "a dim", proto, context);
  return size < 0 ? null : size;
}

export function writeType(type: ValueType): Message<"Type"> {
  const { denotation, unknown } = type;
  switch (type.kind) {
    case "tensor": {
      const elemType = type.element === undefined ? (type.code ?? 0) : elementTypes[type.element].code;
      const dim = type.shape?.map((size, i) => writeDim(size, type.denotations?.[i]));
      return { tensorType: { elemType, shape: dim === undefined ? undefined : { dim } }, denotation, unknown };
    }
    case "sequence":
      return { sequenceType: { elemType: writeType(type.of) }, denotation, unknown };
    case "optional":
      return { optionalType: { elemType: writeType(type.of) }, denotation, unknown };
    case "map":
      return { mapType: { keyType: type.key, valueType: writeType(type.of) }, denotation, unknown };
    case "opaque":
      return { denotation, unknown: type.bytes };
  }
}

function writeDim(size: Dim, denotation: string | undefined): Message<"Dimension"> {
  return {
    dimValue: typeof size === "number" ? size : undefined,
    dimParam: typeof size === "string" ? size : undefined,
    denotation: denotation === "" ? undefined : denotation,
  };
}
