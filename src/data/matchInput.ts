/** Whether data fits an input of a model, and what must be done to it. */
import { type Diagnostic, LowbitError, type Place } from "#base/errors";
import type { Rows } from "#data/rows";
import type { ModelInput } from "#data/types";
import type { Dim } from "#model/model";
import { allocate, type ElementType, fromNumbers, type Tensor, toNumbers, type TypedArray } from "#model/tensor";

/** How a row becomes a feed. */
export interface Fit {
  readonly apply: (row: Tensor) => Tensor;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Fits rows to an input, by these rules and no others: a batch axis of 1 is put in front, axes of length 1 come and go
 * ([49, 10] → [1, 1, 49, 10]), whole numbers are fed to float inputs as they are, whole numbers change width where each fits.
 * Everything else throws `data/shape` with both shapes.
 */
export function matchInput(
  rows: Pick<Rows, "name" | "type" | "dims">,
  input: ModelInput,
  at: Place = { file: rows.name },
): Fit {
  const dims = matchDims(rows.dims, input);
  if (dims === undefined) {
    throw new LowbitError(
      "data/shape",
      `a sample of ${rows.name} is ${rows.type} ${show(rows.dims)}; ${describe(input)}`,
      {
        at: { ...at, tensor: input.name },
        hint: hintFor(rows.dims, input),
      },
    );
  }
  const cast = castFor(rows.type, input.type);
  if (cast === undefined) {
    throw new LowbitError("data/shape", `${rows.name} holds ${rows.type}; ${describe(input)}`, {
      at: { ...at, tensor: input.name },
      hint: `save the data as ${input.type}`,
    });
  }
  const diagnostics: Diagnostic[] = [];
  if (isWhole(rows.type) && isFloat(input.type)) {
    diagnostics.push({
      code: "data/cast",
      level: "info",
      message: `${rows.name} holds ${rows.type}; the values are fed to ${input.name} as they are, as ${input.type}`,
      hint: rows.type === "uint8" ? "if these are pixels, say how they become numbers: --preprocess unit" : undefined,
    });
  }
  const apply = (row: Tensor): Tensor => ({ type: input.type, dims, data: cast(row, rows.name, at) });
  return { apply, diagnostics };
}

/** The dims to feed, or undefined where the sample cannot be meant for this input. */
function matchDims(sample: readonly number[], input: ModelInput): readonly number[] | undefined {
  const wanted = input.dims;
  if (wanted === undefined) return [1, ...sample];
  const fits = (dims: readonly number[]): boolean =>
    dims.length === wanted.length && dims.every((dim, axis) => isFree(wanted[axis]) || wanted[axis] === dim);
  if (fits(sample)) return sample;
  const batched = [1, ...sample];
  if (fits(batched)) return batched;
  // the same axes but for those of length 1; a free axis stands for 1 then
  const concrete = wanted.map((dim) => (isFree(dim) ? 1 : (dim as number)));
  return show(concrete.filter((dim) => dim !== 1)) === show(sample.filter((dim) => dim !== 1)) ? concrete : undefined;
}

/** Whether a dim fits any size: a symbol, nothing, or the 0 and −1 that old exporters write for "unknown". */
export function isFree(dim: Dim): boolean {
  return typeof dim !== "number" || dim < 1;
}

/** → "input x of the model takes float32 [N, 3, 224, 224]" */
export function describe(input: ModelInput): string {
  return `input ${input.name} of the model takes ${input.type} ${show(input.dims ?? ["any shape"])}`;
}

export function show(dims: readonly Dim[]): string {
  return `[${dims.map((dim) => dim ?? "?").join(", ")}]`;
}

function hintFor(sample: readonly number[], input: ModelInput): string {
  const tail = (input.dims ?? []).slice(-sample.length);
  const moved = sample.length < 3 ? [] : [...sample.slice(0, -3), sample.at(-1) ?? 1, ...sample.slice(-3, -1)];
  const back = sample.length < 3 ? [] : [...sample.slice(0, -3), ...sample.slice(-2), sample.at(-3) ?? 1];
  const like = (dims: readonly number[]): boolean =>
    dims.length > 0 && dims.every((dim, axis) => isFree(tail[axis]) || tail[axis] === dim);
  if (like(moved)) return "the channels come last here and first in the model: numpy.moveaxis(x, -1, 1)";
  if (like(back)) return "the channels come first here and last in the model: numpy.moveaxis(x, 1, -1)";
  if (input.dims !== undefined && !isFree(input.dims[0]) && input.dims[0] !== 1 && sample.length < input.dims.length)
    return `the model takes ${String(input.dims[0])} samples at once; export it with a batch size of 1 or a free one`;
  return "the first axis of the file counts the samples; the others must be the model's";
}

type Cast = (row: Tensor, name: string, at: Place) => Tensor["data"];

const isFloat = (type: ElementType): boolean => ["float32", "float64", "float16", "bfloat16"].includes(type);
const isWhole = (type: ElementType): boolean => type === "bool" || /^u?int\d+$/.test(type);

/** undefined where one type cannot stand for the other. */
function castFor(from: ElementType, to: ElementType): Cast | undefined {
  if (from === to) return (row) => row.data;
  if (isFloat(to) && (isFloat(from) || isWhole(from))) return (row) => fromNumbers(to, row.dims, toNumbers(row)).data;
  if (isWhole(from) && isWhole(to) && to !== "bool") return (row, name, at) => changeWidth(row, to, name, at);
  return undefined;
}

/** Whole numbers in another width; one that does not fit is an error, never a wrapped value. */
function changeWidth(row: Tensor, to: ElementType, name: string, at: Place): TypedArray {
  const out = allocate(to, row.data.length) as TypedArray;
  const wide = out instanceof BigInt64Array || out instanceof BigUint64Array;
  for (let i = 0; i < out.length; i++) {
    const value = row.data[i] as number | bigint;
    out[i] = wide ? BigInt(value) : Number(value);
    if (BigInt(out[i]) !== BigInt(value))
      throw new LowbitError("data/malformed", `${name}: ${value} does not fit ${to}`, { at });
  }
  return out;
}
