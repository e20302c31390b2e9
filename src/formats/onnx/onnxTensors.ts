import { type ByteSource, bytesSource, checkRange } from "#base/bytes";
import type { Diagnostic } from "#base/errors";
import { textValue } from "#model/metadata";
import type { Model, TensorRef } from "#model/model";
import { isPlainFloat } from "#model/readFloats";
import { sizeOf } from "#model/tensor";
import { rangeOf, storageOf, type StoredTensor, type TensorFile } from "#model/tensorFile";
import { readWeightBytes, weightBytes } from "#model/weights";

/**
 * The weights of a model without its graph: initializers of floats. Others are shapes, indices and codes, which mean nothing without the
 * nodes that read them; how many are left out is told.
 */
export function onnxTensors({ graph, metadata }: Model): {
  readonly file: TensorFile;
  readonly diagnostics: readonly Diagnostic[];
} {
  const tensors: StoredTensor[] = [];
  let others = 0;
  for (const ref of graph.initializers.values()) {
    const stored = ref.element === "string" ? undefined : storageOf(ref.element);
    if (stored === undefined || !isPlainFloat(stored) || sizeOf(ref.dims) === 0) others++;
    else tensors.push({ name: ref.name, type: stored, shape: ref.dims, data: sourceOf(ref) });
  }
  const texts = new Map(Array.from(metadata, ([key, text]) => [key, textValue(text)]));
  const file: TensorFile = { format: "onnx", metadata: texts, tensors };
  if (others === 0) return { file, diagnostics: [] };
  const message = `${others} initializers that are no floats, or empty, belong to the graph and are left out`;
  return { file, diagnostics: [{ code: "onnx/no-weights", level: "info", message }] };
}

function sourceOf(ref: TensorRef): ByteSource {
  if (ref.data.kind === "range") return rangeOf(ref.data.source, ref.data.offset, ref.data.length);
  if (ref.data.kind === "bytes") return bytesSource(ref.data.bytes, ref.name);
  const source: ByteSource = {
    name: ref.name,
    size: weightBytes(ref),
    async read(offset, length) {
      checkRange(source, offset, length);
      return (await readWeightBytes(ref)).subarray(offset, offset + length);
    },
  };
  return source;
}
