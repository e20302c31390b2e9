/**
 * Typed metadata as texts, for formats that have only texts: a text is itself, anything else a small JSON object, so that it survives
 * there and back. → llama, {"uint32":2}, {"array":{"of":"string","values":["<s>","</s>"]}}
 */
import {
  isNumberType,
  type MetadataArray,
  type MetadataNumbers,
  type MetadataValue,
  numberArray,
  textValue,
} from "#model/metadata";

/** A value as a text; `metadataValue` reads it back. */
export function metadataText(value: MetadataValue): string {
  // a text that would be taken for one of the others is wrapped too
  if (value.type === "string" && typeof value.value === "string") {
    const back = metadataValue(value.value);
    if (back.type === "string" && back.value === value.value) return value.value;
  }
  return JSON.stringify({ [value.type]: value.type === "array" ? plainArray(value) : plain(value.value) });
}

/** What a text stands for; one that `metadataText` did not write is itself. */
export function metadataValue(text: string): MetadataValue {
  if (!/^\{"\w{1,8}":/.test(text)) return textValue(text);
  try {
    const [[type, value]] = Object.entries(JSON.parse(text) as object);
    return typed(type, value) ?? textValue(text);
  } catch {
    return textValue(text);
  }
}

type Plain = number | boolean | string | { readonly hex: string };

/** Numbers that JSON does not have are written as texts. */
function plain(value: number | bigint | boolean | string | Uint8Array): Plain {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array)
    return { hex: Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("") };
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return Object.is(value, -0) ? "-0" : value;
}

function plainArray(array: MetadataArray): object {
  switch (array.of) {
    case "array":
      return { of: array.of, values: array.values.map(plainArray) };
    case "string":
      return { of: array.of, values: array.values.map(plain) };
    default:
      return { of: array.of, values: Array.from<number | bigint, Plain>(array.values as ArrayLike<number>, plain) };
  }
}

function typed(type: string, value: unknown): MetadataValue | undefined {
  if (type === "array") return typedArray(value);
  if (type === "string") {
    const text = string(value);
    return text === undefined ? undefined : { type, value: text };
  }
  if (!isNumberType(type)) return undefined;
  if (type === "bool") return typeof value === "boolean" ? { type, value } : undefined;
  const [number] = numbers(type, [value]);
  return { type, value: number } as MetadataValue; // the array of a type holds that type's numbers
}

/** Deeper arrays are nobody's. */
const deepest = 8;

function typedArray(value: unknown, depth = 0): MetadataArray | undefined {
  const { of, values } = value as { readonly of?: unknown; readonly values?: unknown };
  if (!Array.isArray(values) || typeof of !== "string" || depth > deepest) return undefined;
  if (of === "array") {
    const arrays = values.map((each) => typedArray(each, depth + 1));
    return all(arrays) ? { type: "array", of, values: arrays } : undefined;
  }
  if (of === "string") {
    const texts = values.map(string);
    return all(texts) ? { type: "array", of, values: texts } : undefined;
  }
  return isNumberType(of) ? { type: "array", of, values: numbers(of, values) } : undefined;
}

function numbers(type: Parameters<typeof numberArray>[0], values: readonly unknown[]): MetadataNumbers {
  const array = numberArray(type);
  if (array === BigInt64Array || array === BigUint64Array)
    return array.from(values.map((value) => BigInt(value as string)));
  return (array as Float64ArrayConstructor).from(values.map(Number));
}

function string(value: unknown): string | Uint8Array | undefined {
  if (typeof value === "string") return value;
  const { hex } = (value ?? {}) as { readonly hex?: unknown };
  if (typeof hex !== "string" || !/^([0-9a-f]{2})*$/.test(hex)) return undefined;
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function all<T>(values: readonly (T | undefined)[]): values is readonly T[] {
  return !values.includes(undefined);
}
