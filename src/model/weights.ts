import { LowbitError, withPlace } from "#base/errors";
import { defaultLimits } from "#base/limits";
import type { TensorRef } from "#model/model";
import { packedBytes, packTensor, sizeOf, type Tensor, unpackTensor } from "#model/tensor";

const none: ReadonlyMap<string, string> = new Map();

/** A weight from a tensor in memory. */
export function weight(name: string, value: Tensor): TensorRef {
  const data: TensorRef["data"] =
    value.type === "string"
      ? { kind: "strings", values: (value.data as readonly string[]).map((text) => new TextEncoder().encode(text)) }
      : { kind: "bytes", bytes: packTensor(value) };
  return { name, element: value.type, dims: value.dims, data, doc: "", metadata: none };
}

/** Bytes a weight occupies in a file. */
export function weightBytes(ref: TensorRef): number {
  if (ref.data.kind === "strings") return ref.data.values.reduce((sum, value) => sum + value.byteLength, 0);
  return packedBytes(ref.element, sizeOf(ref.dims));
}

/** The packed bytes of a weight, read now. */
export async function readWeightBytes(ref: TensorRef, limit = defaultLimits.tensorBytes): Promise<Uint8Array> {
  const expected = weightBytes(ref);
  if (expected > limit) {
    throw new LowbitError(
      "limit/memory",
      `${ref.name} has ${expected} bytes, over the limit of ${limit} for one tensor`,
      { at: { tensor: ref.name }, hint: "raise tensorBytes" },
    );
  }
  const bytes = await loadBytes(ref).catch((error: unknown) => {
    throw withPlace(error, { tensor: ref.name });
  });
  if (bytes.byteLength !== expected) {
    throw new LowbitError(
      "onnx/invalid",
      `${ref.name}: ${ref.element} [${ref.dims.join(", ")}] needs ${expected} bytes; the file gives ${bytes.byteLength}`,
      { at: { tensor: ref.name } },
    );
  }
  return bytes;
}

/** A weight as a tensor, read now. */
export async function readWeight(ref: TensorRef): Promise<Tensor> {
  return loadedWeight(ref) ?? unpackTensor(ref.element, ref.dims, await readWeightBytes(ref));
}

/** A weight whose elements are in memory already; undefined where they must be read first. */
export function loadedWeight(ref: TensorRef): Tensor | undefined {
  const { data } = ref;
  if (data.kind === "strings") {
    const decoder = new TextDecoder();
    return { type: "string", dims: ref.dims, data: data.values.map((value) => decoder.decode(value)) };
  }
  return data.kind === "bytes" ? unpackTensor(ref.element, ref.dims, data.bytes) : undefined;
}

async function loadBytes(ref: TensorRef): Promise<Uint8Array> {
  const { data } = ref;
  switch (data.kind) {
    case "bytes":
      return data.bytes;
    case "range":
      return data.source.read(data.offset, data.length);
    case "lazy":
      return data.load();
    case "strings":
      throw new LowbitError("model/type", `${ref.name} holds strings, not numbers`, { at: { tensor: ref.name } });
  }
}

/** A weight like `ref` whose elements are computed when they are asked for, so that a large one need not stay in memory. */
export function lazyWeight(ref: TensorRef, compute: () => Promise<Tensor>): TensorRef {
  const load = async (): Promise<Uint8Array> => packTensor(await compute());
  return { ...ref, data: { kind: "lazy", length: weightBytes(ref), load } };
}

/** A float32 weight computed when it is asked for, so that folding a large model holds no second copy of it. */
export function derivedWeight(name: string, dims: readonly number[], compute: () => Promise<Float32Array>): TensorRef {
  const load = async (): Promise<Uint8Array> => packTensor({ type: "float32", dims, data: await compute() });
  return {
    name,
    element: "float32",
    dims,
    data: { kind: "lazy", length: 4 * sizeOf(dims), load },
    doc: "",
    metadata: none,
  };
}
