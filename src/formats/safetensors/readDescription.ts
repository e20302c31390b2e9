/** What a file says of its quantized tensors: the JSON that `description` writes, from a stranger. */
import * as v from "valibot";
import { LowbitError } from "#base/errors";
import { type GgmlTypeName, ggmlTypes } from "#quant/ggml/index";

const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const positive = v.pipe(count, v.minValue(1));
const codeBits = v.pipe(positive, v.maxValue(16));
const axis = v.picklist([0, 1]);
const granularity = v.variant("per", [
  v.strictObject({ per: v.literal("tensor") }),
  v.strictObject({ per: v.literal("channel"), axis }),
  v.strictObject({ per: v.literal("group"), axis, size: positive }),
  v.strictObject({ per: v.literal("block"), shape: v.strictTuple([positive, positive]) }),
]);
const format = v.pipe(v.string(), v.maxLength(20));
const level = { granularity, dtype: v.optional(format) };
const scale = v.strictObject({ ...level, outer: v.optional(v.strictObject(level)) });
const decoding = v.variant("kind", [
  v.strictObject({ kind: v.literal("affine"), dtype: format, granularity, scale }),
  v.strictObject({
    kind: v.literal("lookup"),
    bits: codeBits,
    tableGranularity: granularity,
    entries: v.pipe(positive, v.maxValue(2 ** 16)),
    dtype: v.optional(format),
    scale: v.nullable(scale),
  }),
  v.strictObject({
    kind: v.literal("codebook"),
    length: positive,
    stages: v.pipe(
      v.array(v.strictObject({ bits: codeBits, books: positive, entries: positive })),
      v.minLength(1),
      v.maxLength(64),
    ),
    scale: v.nullable(scale),
  }),
  v.strictObject({ kind: v.literal("ggml"), type: v.picklist(Object.keys(ggmlTypes) as [GgmlTypeName]) }),
]);
const schema = v.strictObject({
  version: v.literal(1),
  scheme: v.pipe(v.string(), v.maxLength(200)),
  shape: v.pipe(v.array(count), v.minLength(1), v.maxLength(64)),
  decoding,
  rotation: v.optional(v.strictObject({ order: positive })),
});

/** Of a description: the longest that are written have a few hundred. */
const mostCharacters = 100_000;

export type Description = v.InferOutput<typeof schema>;
export type ScaleText = v.InferOutput<typeof scale>;

/** The text of a quantized tensor, once it is known to have the form that `description` writes. Throws safetensors/invalid. */
export function readDescription(text: string | undefined, name: string): Description {
  if (text === undefined || text.length > mostCharacters)
    throw invalid(name, "is described by no text, or one too long");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(name, "is described in no JSON", cause);
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw invalid(name, `is described as nothing is: ${v.getDotPath(issue) ?? "it"}: ${issue.message}`);
}

/** A file that does not keep what it says of a quantized tensor. */
export function invalid(name: string, what: string, cause?: unknown): LowbitError {
  return new LowbitError("safetensors/invalid", `the quantized tensor ${name} ${what}`, {
    at: { tensor: name },
    cause,
  });
}
