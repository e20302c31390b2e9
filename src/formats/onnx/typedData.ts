/** The typed fields of TensorProto (`float_data`, `int32_data` …): which type uses which, and how they become packed bytes. */
import { WireReader } from "#formats/onnx/wireReader";
import { type ElementType, elementTypes } from "#model/tensor";

export type TypedField = "floatData" | "doubleData" | "int32Data" | "int64Data" | "uint64Data";

export function typedFieldOf(element: ElementType): TypedField | undefined {
  switch (element) {
    case "string":
      return undefined;
    case "float32":
    case "complex64":
      return "floatData";
    case "float64":
    case "complex128":
      return "doubleData";
    case "int64":
      return "int64Data";
    case "uint32":
    case "uint64":
      return "uint64Data";
    default:
      return "int32Data";
  }
}

/** Floats lie in the file as they lie in memory; integers are varints. */
export function isVarintField(field: TypedField): boolean {
  return field !== "floatData" && field !== "doubleData";
}

/**
 * Varints → packed little-endian elements. One varint is one element, except that one holds the whole byte of packed 4- and 2-bit
 * elements. Each keeps its low bits, as protobuf and C++ casts do; half floats are stored as their bits.
 * Throws unless the varints give exactly `length` bytes.
 */
export function packVarints(
  element: ElementType,
  pieces: readonly Uint8Array[],
  length: number,
  file: string,
): Uint8Array {
  const width = Math.max(1, elementTypes[element].bits / 8);
  const out = new Uint8Array(length);
  const view = new DataView(out.buffer);
  let at = 0;
  let left = 0;
  for (const bytes of pieces) {
    const reader = new WireReader(bytes, file);
    while (reader.pos < bytes.length) {
      reader.varint();
      if (at >= length) left++;
      else if (width === 1) out[at] = reader.low;
      else if (width === 2) view.setUint16(at, reader.low, true);
      else {
        view.setUint32(at, reader.low, true);
        if (width === 8) view.setUint32(at + 4, reader.high, true);
      }
      at += width;
    }
  }
  if (at === length && left === 0) return out;
  throw new RangeError(`${at / width} values instead of ${length / width}`);
}
