/** Writing a GGUF file, version 3, as a stream: metadata and places of all tensors first, then their data, piece by piece. */
import type { ByteSink } from "#base/bytes";
import { type ErrorCode, LowbitError } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import { FieldWriter } from "#formats/gguf/fieldWriter";
import { ggmlTypeOf } from "#formats/gguf/ggmlTypes";
import { alignmentOf, magic, mostDimensions } from "#formats/gguf/readGguf";
import { sizeOf } from "#model/tensor";
import { bytesOf, piecesOf, type StoredTensor, type TensorFile } from "#model/tensorFile";

const version = 3;
/** GGML_MAX_NAME is 64, with the zero at its end. */
const longestName = 63;

/** What a file is made of, before any content is loaded. */
export interface PreparedGguf {
  /** Up to the first tensor's data. */
  readonly header: Uint8Array;
  readonly tensors: readonly StoredTensor[];
  readonly alignment: number;
  /** Of the whole file. */
  readonly bytes: number;
}

type Content = Pick<TensorFile, "metadata" | "tensors">;

/** Throws `gguf/unsupported` for what the format has no place for, and `gguf/invalid` for what no loader would take. */
export function prepareGguf({ metadata, tensors }: Content): PreparedGguf {
  const alignment = alignmentOf(metadata, (what) => new LowbitError("gguf/invalid", what));
  const padded = (size: number): number => Math.ceil(size / alignment) * alignment;
  const out = new FieldWriter();
  out.uint32(magic);
  out.uint32(version);
  out.uint64(tensors.length);
  out.uint64(metadata.size);
  for (const [key, value] of metadata) {
    out.text(key);
    out.value(value);
  }
  const names = new Set<string>();
  let offset = 0;
  for (const tensor of tensors) {
    const { name, type, shape } = tensor;
    if (names.has(name)) throw refuse(tensor, "gguf/invalid", `a second tensor is named ${name}`, "rename it");
    names.add(name);
    out.text(name);
    out.uint32(shape.length);
    for (const extent of shape.toReversed()) out.uint64(extent);
    out.uint32(checkedType(tensor));
    out.uint64(offset);
    offset += padded(bytesOf(type, shape));
  }
  out.pad(padded(out.length) - out.length);
  const header = out.bytes();
  return { header, tensors, alignment, bytes: header.byteLength + offset };
}

/** ggml's id of the tensor's type, once everything about the tensor is known to fit. */
function checkedType(tensor: StoredTensor): number {
  const { name, type, shape, data } = tensor;
  const id = ggmlTypeOf(type);
  if (id === undefined) {
    const hint =
      "GGUF holds floats of 16, 32 and 64 bits, signed integers, and its own blocks: quantize with --weights gguf:q8_0";
    throw refuse(tensor, "gguf/unsupported", `${name} is ${type.name}, which GGUF has no type for`, hint);
  }
  if (new TextEncoder().encode(name).byteLength > longestName)
    throw refuse(
      tensor,
      "gguf/unsupported",
      `the name ${name} is longer than ${longestName} bytes, which llama.cpp refuses`,
      "rename it",
    );
  if (shape.length > mostDimensions)
    throw refuse(
      tensor,
      "gguf/unsupported",
      `${name} has ${shape.length} dimensions; GGUF has at most ${mostDimensions}`,
    );
  if (sizeOf(shape) === 0) throw refuse(tensor, "gguf/unsupported", `${name} is empty, which llama.cpp refuses`);
  const row = shape[shape.length - 1] ?? 1;
  if (row % type.blockLength !== 0)
    throw refuse(
      tensor,
      "gguf/invalid",
      `rows of ${name} have ${row} elements, no multiple of ${type.name}'s ${type.blockLength}`,
    );
  const bytes = bytesOf(type, shape);
  if (data.size !== bytes)
    throw refuse(tensor, "gguf/invalid", `${name} needs ${bytes} bytes; its data has ${data.size}`);
  return id;
}

function refuse({ name }: StoredTensor, code: ErrorCode, what: string, hint?: string): LowbitError {
  return new LowbitError(code, what, { at: { tensor: name }, ...(hint === undefined ? {} : { hint }) });
}

/** The same tensors give the same bytes. Memory: the metadata and one piece. */
export async function writeGguf(file: Content, sink: ByteSink, options: JobOptions = {}): Promise<number> {
  return writePrepared(prepareGguf(file), sink, options);
}

export async function writePrepared(
  { header, tensors, alignment, bytes }: PreparedGguf,
  sink: ByteSink,
  { signal, onProgress }: JobOptions = {},
): Promise<number> {
  await sink.write(header);
  let done = header.byteLength;
  for (const tensor of tensors) {
    for await (const piece of piecesOf(tensor)) {
      throwIfAborted(signal);
      await sink.write(piece);
      done += piece.byteLength;
      onProgress?.({ stage: "write", done, total: bytes });
    }
    const padding = (alignment - (tensor.data.size % alignment)) % alignment;
    if (padding > 0) await sink.write(new Uint8Array(padding));
    done += padding;
  }
  return bytes;
}
