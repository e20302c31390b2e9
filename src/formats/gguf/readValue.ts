/** One value of GGUF's metadata. */
import type { Limits } from "#base/limits";
import { arrayCost, type Cursor } from "#formats/gguf/cursor";
import { arrayId, numberTypes, stringId } from "#formats/gguf/valueTypes";
import {
  type MetadataArray,
  type MetadataNumbers,
  type MetadataNumberType,
  type MetadataValue,
  numberArray,
} from "#model/metadata";

/** Arrays of arrays are allowed and nowhere used. */
const deepest = 4;
/** An array begins with the type and the count of its elements. */
const arrayHead = 12;
const lengthBytes = 8;

/** `what` names the value in errors. */
export function readValue(cursor: Cursor, what: string, limits: Limits): MetadataValue {
  const id = cursor.uint32();
  if (id === arrayId) return readArray(cursor, what, limits, 1);
  if (id === stringId) return { type: "string", value: cursor.text(limits.ggufStringBytes, what) };
  const type = numberType(cursor, id, what);
  const [value] = readNumbers(cursor, type, 1, what);
  return (type === "bool" ? { type, value: value === 1 } : { type, value }) as MetadataValue; // a type's array holds its numbers
}

function readArray(cursor: Cursor, what: string, limits: Limits, depth: number): MetadataArray {
  if (depth > deepest) throw cursor.refuse("gguf/limit", `${what} is arrays more than ${deepest} deep in each other`);
  const id = cursor.uint32();
  cursor.spend(arrayCost);
  if (id === stringId) {
    const values = times(cursor.count(lengthBytes, "texts"), () => cursor.text(limits.ggufStringBytes, what));
    return { type: "array", of: "string", values };
  }
  if (id === arrayId) {
    const values = times(cursor.count(arrayHead, "arrays"), () => readArray(cursor, what, limits, depth + 1));
    return { type: "array", of: "array", values };
  }
  const type = numberType(cursor, id, what);
  const count = cursor.count(numberArray(type).BYTES_PER_ELEMENT, "numbers");
  return { type: "array", of: type, values: readNumbers(cursor, type, count, what) };
}

function numberType(cursor: Cursor, id: number, what: string): MetadataNumberType {
  const type = numberTypes.get(id);
  if (type === undefined) throw cursor.refuse("gguf/malformed", `${what} has the unknown type ${id}`);
  return type;
}

function readNumbers(cursor: Cursor, type: MetadataNumberType, count: number, what: string): MetadataNumbers {
  const array = numberArray(type);
  const bytes = cursor.bytes(count * array.BYTES_PER_ELEMENT, what);
  if (type === "bool" && bytes.some((byte) => byte > 1))
    throw cursor.refuse("gguf/malformed", `${what} is neither true nor false`);
  // a copy: its start is aligned, and it does not keep the bytes around it
  return new array(new Uint8Array(bytes).buffer);
}

/** Grows as it reads: that a file promises many is no reason to make room for them. */
function times<T>(count: number, read: () => T): T[] {
  const values: T[] = [];
  for (let i = 0; i < count; i++) values.push(read());
  return values;
}
