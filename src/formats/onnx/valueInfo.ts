/** ValueInfoProto ↔ ValueInfo. */
import { type Context, entries, keepUnknown, optional, refuse, toEntries } from "#formats/onnx/context";
import type { Message } from "#formats/onnx/schema";
import { readType, writeType } from "#formats/onnx/valueType";
import type { ValueInfo } from "#model/model";

export function readValueInfo(proto: Message<"ValueInfo">, context: Context): ValueInfo {
  if (proto.name === undefined || proto.name === "")
    throw refuse(context, proto, "onnx/invalid", "a value has no name");
  return {
    name: proto.name,
    type: proto.type === undefined ? undefined : readType(proto.type, context),
    doc: proto.docString ?? "",
    metadata: entries(proto.metadataProps),
    ...keepUnknown(proto),
  };
}

export function writeValueInfo(value: ValueInfo): Message<"ValueInfo"> {
  return {
    name: value.name,
    type: value.type === undefined ? undefined : writeType(value.type),
    docString: optional(value.doc),
    metadataProps: toEntries(value.metadata),
    unknown: value.unknown,
  };
}
