/** Checks what the caller hands over before anything crosses to the runtime, so that mistakes are told in our words. */
import { LowbitError } from "#base/errors";
import type { Tensors } from "#model/session";
import { elementTypes, sizeOf, type Tensor } from "#model/tensor";
import type { ValueMeta } from "#runtimes/ort/protocol";

/** Throws `runtime/run` unless `feeds` has every input once, with the right type, rank, known sizes and element count. */
export function checkFeeds(inputs: readonly ValueMeta[], feeds: Tensors): void {
  const wanted = `the inputs are ${inputs.map(written).join(", ") || "none"}`;
  for (const input of inputs) {
    const given = feeds[input.name];
    if (given === undefined) refuse(input.name, `input ${input.name} is missing`, wanted);
    checkTensor(input.name, given);
    if (given.type !== input.type)
      refuse(input.name, `input ${input.name} is ${given.type}, not ${input.type}`, wanted);
    // an empty list is also what the runtime says of an unknown rank
    const fits =
      input.dims.length === 0 ||
      (input.dims.length === given.dims.length &&
        input.dims.every((dim, axis) => typeof dim === "string" || dim === given.dims[axis]));
    if (!fits) {
      refuse(input.name, `input ${input.name} has shape [${given.dims.join(", ")}], not ${shape(input)}`, wanted);
    }
  }
  const known = new Set(inputs.map(({ name }) => name));
  for (const name of Object.keys(feeds)) if (!known.has(name)) refuse(name, `the model has no input ${name}`, wanted);
}

/** Throws `runtime/run` unless every fetch is an output. */
export function checkFetches(outputNames: readonly string[], fetches: readonly string[]): void {
  for (const name of fetches) {
    if (!outputNames.includes(name)) {
      refuse(name, `the model has no output ${name}`, `the outputs are ${outputNames.join(", ")}`);
    }
  }
}

/** Throws `runtime/run` unless a value is kept for every one of the inputs. */
export function checkKept(kept: ReadonlySet<string>, inputs: readonly string[]): void {
  for (const name of inputs)
    if (!kept.has(name)) refuse(name, `no value is kept for input ${name}`, "carry an output to it in a step before");
}

/** Types that ONNX Runtime exchanges with JavaScript. It aborts the process over int4 outputs and rejects the others. */
const exchanged: ReadonlySet<string | undefined> = new Set(
  "float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64".split(" "),
);

/** Throws `runtime/load` when an input or output is of a type that cannot be handed over. */
export function checkExchange(values: readonly ValueMeta[], what: "input" | "output"): void {
  for (const { name, type } of values) {
    if (exchanged.has(type)) continue;
    throw new LowbitError(
      "runtime/load",
      `${what} ${name} is ${type ?? "not a tensor"}, which ONNX Runtime cannot exchange with JavaScript`,
      { at: { tensor: name }, hint: "put a Cast to float32 between it and the graph's edge" },
    );
  }
}

function checkTensor(name: string, { type, dims, data }: Tensor): void {
  const { array } = elementTypes[type];
  const right = array === undefined ? Array.isArray(data) : data instanceof array;
  if (!right)
    refuse(
      name,
      `${name} is ${type}, but its data is a ${data.constructor.name}`,
      `give a ${array?.name ?? "string array"}`,
    );
  const size = sizeOf(dims);
  if (data.length !== size) {
    refuse(name, `${name} has ${data.length} elements, not the ${size} of [${dims.join(", ")}]`, "check its dims");
  }
}

function refuse(tensor: string, message: string, hint: string): never {
  throw new LowbitError("runtime/run", message, { at: { tensor }, hint });
}

function shape({ dims }: ValueMeta): string {
  return `[${dims.map((dim) => (dim === "" ? "?" : dim)).join(", ")}]`;
}

function written(value: ValueMeta): string {
  return `${value.name}: ${value.type} ${shape(value)}`;
}
