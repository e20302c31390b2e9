import type { Diagnostic } from "#base/errors";
import { quantizedEntries } from "#formats/safetensors/readQuantized";
import type { MetadataValue } from "#model/metadata";
import { metadataText } from "#model/metadataText";
import { sizeOf } from "#model/tensor";
import type { TensorFile } from "#model/tensorFile";
import type { InspectedTensor, TensorInspection } from "#report/tensorReport";

/** What a file of weights holds. Nothing but its header is read. */
export function inspectTensors(
  file: TensorFile,
  read: { readonly paths: readonly string[]; readonly bytes: number; readonly diagnostics: readonly Diagnostic[] },
): TensorInspection {
  const entries = quantizedEntries(file);
  const parts = new Set(entries.flatMap((entry) => entry.parts));
  const tensors: InspectedTensor[] = file.tensors
    .filter((tensor) => !parts.has(tensor))
    .map(({ name, shape, type, data }) => ({ name, shape, scheme: type.name, bytes: data.size }));
  for (const entry of entries) {
    const bytes = entry.parts.reduce((sum, { data }) => sum + data.size, 0);
    tensors.push({ name: entry.name, shape: entry.shape, scheme: entry.scheme, bytes });
  }
  const types = new Map<string, { type: string; tensors: number; bytes: number }>();
  for (const { type, data } of file.tensors) {
    const before = types.get(type.name) ?? { type: type.name, tensors: 0, bytes: 0 };
    types.set(type.name, { ...before, tensors: before.tensors + 1, bytes: before.bytes + data.size });
  }
  return {
    version: 1,
    file: { name: read.paths[0], format: file.format, bytes: read.bytes, files: read.paths.length },
    metadata: Array.from(file.metadata, ([key, value]) => ({ key, type: value.type, text: shown(value) })),
    types: [...types.values()].sort((a, b) => b.bytes - a.bytes),
    parameters: tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    tensors,
    diagnostics: read.diagnostics,
  };
}

function shown(value: MetadataValue): string {
  if (value.type === "array") return `${value.values.length} of ${value.of}`;
  if (value.type === "string") return metadataText(value);
  return String(value.value);
}
