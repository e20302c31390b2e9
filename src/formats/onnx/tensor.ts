/** TensorProto ↔ TensorRef: every way a file may store a tensor becomes packed little-endian bytes, loaded when asked for. */
import { concatBytes } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { type Context, entries, keepUnknown, optional, refuse, toEntries } from "#formats/onnx/context";
import { type ExternalPlace, readExternalData, writeExternalData } from "#formats/onnx/externalData";
import { Payload } from "#formats/onnx/payload";
import type { Message } from "#formats/onnx/schema";
import { isVarintField, packVarints, type TypedField, typedFieldOf } from "#formats/onnx/typedData";
import type { TensorData, TensorRef } from "#model/model";
import { type ElementType, elementTypeOf, elementTypes } from "#model/tensor";
import { weightBytes } from "#model/weights";

type TensorProto = Message<"Tensor">;

export function readTensor(proto: TensorProto, context: Context): TensorRef {
  const fail = failure(proto, context);
  const element = elementTypeOf(proto.dataType ?? 0);
  if (proto.dataType === undefined || proto.dataType === 0) throw fail("onnx/invalid", "has no element type");
  if (element === undefined)
    throw fail("onnx/unsupported", `has element type ${proto.dataType}, which this version does not know`);
  if (proto.segment !== undefined)
    throw fail("onnx/unsupported", "is one segment of a tensor that is split over several");
  const dims = readDims(proto, context);
  const count = countOf(dims, elementTypes[element].bits);
  if (count === undefined) throw fail("onnx/invalid", `has shape [${dims.join(", ")}], more than can be counted`);
  return {
    name: proto.name ?? "",
    element,
    dims,
    data: readData(proto, element, count, context),
    doc: proto.docString ?? "",
    metadata: entries(proto.metadataProps),
    ...keepUnknown(proto),
  };
}

function failure(proto: TensorProto, context: Context) {
  const tensor = proto.name ?? "";
  return (code: LowbitError["code"], what: string, hint?: string): LowbitError =>
    refuse(context, proto, code, `tensor ${tensor === "" ? "without a name" : tensor} ${what}`, {
      at: { tensor },
      ...(hint === undefined ? {} : { hint }),
    });
}

function readDims(proto: TensorProto, context: Context): number[] {
  const dims = proto.dims ?? [];
  if (dims.length > context.limits.tensorRank)
    throw failure(proto, context)(
      "onnx/limit",
      `has ${dims.length} dims; the limit is ${context.limits.tensorRank}`,
      "raise tensorRank",
    );
  return dims.map((dim) => {
    if (typeof dim === "bigint" || dim < 0) throw failure(proto, context)("onnx/invalid", `has a dim of ${dim}`);
    return dim;
  });
}

/** Elements of a shape; undefined when they, or their bits, are beyond 2⁵³. */
function countOf(dims: readonly number[], bits: number): number | undefined {
  if (dims.includes(0)) return 0;
  let count = 1;
  for (const dim of dims) {
    count *= dim; // ≤ 2⁵³ · 2⁵³: not exact any more, but large enough to be refused
    if (count * Math.max(bits, 8) > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return count;
}

const typedFields: readonly TypedField[] = ["floatData", "doubleData", "int32Data", "int64Data", "uint64Data"];

function readData(proto: TensorProto, element: ElementType, count: number, context: Context): TensorData {
  const fail = failure(proto, context);
  const length = Math.ceil((count * elementTypes[element].bits) / 8);
  const location = proto.dataLocation ?? 0;
  if (location !== 0 && location !== 1) throw fail("onnx/invalid", `has data location ${location}`);

  const typed = typedFields.filter((name) => (proto[name]?.length ?? 0) > 0);
  const raw = (proto.rawData?.length ?? 0) > 0 ? proto.rawData : undefined;
  const strings = proto.stringData ?? [];
  const stored = [...typed, ...(raw === undefined ? [] : ["rawData"]), ...(strings.length === 0 ? [] : ["stringData"])];
  if (stored.length > 1) throw fail("onnx/invalid", `has its data twice: ${stored.join(" and ")}`);

  if (location === 1) {
    if (element === "string") throw fail("onnx/invalid", "holds strings, which cannot lie in another file");
    if (stored.length > 0) throw fail("onnx/invalid", `has ${stored[0]} although its data is in another file`);
    return readExternalData(proto.externalData ?? [], length, context, fail);
  }
  if (element === "string") {
    if (stored.length > 0 && strings.length === 0) throw fail("onnx/invalid", `holds strings but has ${stored[0]}`);
    if (strings.length !== count) throw fail("onnx/invalid", `needs ${count} strings; the file has ${strings.length}`);
    return { kind: "strings", values: strings };
  }
  if (raw !== undefined) {
    if (raw.length !== length)
      throw fail(
        "onnx/invalid",
        `needs ${length} bytes (${element} [${(proto.dims ?? []).join(", ")}]); the file has ${raw.length}`,
      );
    return raw.finish()[0];
  }
  const own = typedFieldOf(element) as TypedField; // strings were answered above
  if (typed.length === 1 && typed[0] !== own) throw fail("onnx/invalid", `is ${element} but has ${typed[0]}`);
  if (strings.length > 0) throw fail("onnx/invalid", `is ${element} but has stringData`);
  const payload = proto[own] ?? new Payload();
  return isVarintField(own)
    ? readVarints(payload, element, length, context.file, fail)
    : readFloats(payload, length, fail);
}

function readFloats(payload: Payload, length: number, fail: ReturnType<typeof failure>): TensorData {
  if (payload.length !== length)
    throw fail("onnx/invalid", `needs ${length} bytes of floats; the file has ${payload.length}`);
  const pieces = payload.finish();
  if (pieces.length === 1) return pieces[0];
  if (pieces.length === 0) return { kind: "bytes", bytes: new Uint8Array(0) };
  return { kind: "lazy", length, load: async () => concatBytes(await Promise.all(pieces.map(loadPiece))) };
}

function readVarints(
  payload: Payload,
  element: ElementType,
  length: number,
  file: string,
  fail: ReturnType<typeof failure>,
): TensorData {
  const values = length / Math.max(1, elementTypes[element].bits / 8);
  if (payload.length < values || payload.length > 10 * values)
    throw fail("onnx/invalid", `needs ${values} values; the file has ${payload.length} bytes of them`);
  const pieces = payload.finish();
  const pack = (loaded: readonly Uint8Array[]): Uint8Array => {
    try {
      return packVarints(element, loaded, length, file);
    } catch (error) {
      throw error instanceof RangeError ? fail("onnx/invalid", `has ${error.message}`) : error;
    }
  };
  if (pieces.every((piece) => piece.kind === "bytes")) {
    return { kind: "bytes", bytes: pack(pieces.map((piece) => piece.bytes)) };
  }
  return { kind: "lazy", length, load: async () => pack(await Promise.all(pieces.map(loadPiece))) };
}

async function loadPiece(piece: TensorData): Promise<Uint8Array> {
  if (piece.kind === "bytes") return piece.bytes;
  if (piece.kind === "range") return piece.source.read(piece.offset, piece.length);
  throw new TypeError(`a piece of a tensor is never ${piece.kind}`);
}

/** `external`: where the content lies when not in the protobuf. */
export function writeTensor(ref: TensorRef, external?: ExternalPlace): TensorProto {
  const { data } = ref;
  const length = weightBytes(ref);
  const proto: TensorProto = {
    dims: [...ref.dims],
    dataType: elementTypes[ref.element].code,
    name: optional(ref.name),
    docString: optional(ref.doc),
    metadataProps: toEntries(ref.metadata),
    unknown: ref.unknown,
  };
  if (data.kind === "strings") return { ...proto, stringData: [...data.values] };
  const given = data.kind === "bytes" ? data.bytes.byteLength : data.length;
  if (given !== length) {
    const what = `${ref.name}: ${ref.element} [${ref.dims.join(", ")}] needs ${length} bytes, not ${given}`;
    throw new LowbitError("onnx/invalid", what, { at: { tensor: ref.name } });
  }
  if (external !== undefined) return { ...proto, dataLocation: 1, externalData: writeExternalData(external, length) };
  // an empty tensor has no data field: onnx.checker refuses one
  return length === 0 ? proto : { ...proto, rawData: Payload.of(data, length) };
}
