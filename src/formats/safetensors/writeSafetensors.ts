/**
 * Writing a safetensors file as a stream: the header, whose sizes are known beforehand, then one tensor after another, piece by piece.
 *
 * A file that the reference implementation wrote is written back byte for byte.
 */
import { type ByteSink, BytesSink } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import { dtypeNames, dtypeOf } from "#formats/safetensors/dtypes";
import { lengthBytes } from "#formats/safetensors/readHeader";
import { metadataText } from "#model/metadataText";
import { sizeOf } from "#model/tensor";
import { bytesOf, piecesOf, type StoredTensor, type TensorFile } from "#model/tensorFile";

/** What a file is made of, before any content is loaded. */
export interface PreparedSafetensors {
  /** With the length before it. */
  readonly header: Uint8Array;
  /** In the order of the file. */
  readonly tensors: readonly StoredTensor[];
  /** Of the whole file. */
  readonly bytes: number;
}

type Content = Pick<TensorFile, "metadata" | "tensors">;

/** Throws `safetensors/unsupported` for a tensor that the format has no type for, and `safetensors/invalid` for a name given twice. */
export function prepareSafetensors({ metadata, tensors }: Content): PreparedSafetensors {
  const ordered = aligned(tensors);
  const members: string[] = [];
  if (metadata.size > 0) {
    const texts = Array.from(
      metadata,
      ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(metadataText(value))}`,
    );
    members.push(`"__metadata__":{${texts.join(",")}}`);
  }
  const names = new Set<string>();
  let offset = 0;
  for (const { name, type, shape, data } of ordered) {
    const at = { tensor: name };
    if (name === "__metadata__" || names.has(name))
      throw new LowbitError("safetensors/invalid", `a second tensor cannot be named ${name}`, {
        at,
        hint: "rename it",
      });
    names.add(name);
    const dtype = dtypeOf(type);
    if (dtype === undefined)
      throw new LowbitError("safetensors/unsupported", `${name} is ${type.name}, which safetensors has no type for`, {
        at,
        hint: `decode it with --weights float16; safetensors has ${dtypeNames.join(", ")}`,
      });
    if (sizeOf(shape) % type.blockLength !== 0)
      throw new LowbitError(
        "safetensors/unsupported",
        `${name}, ${dtype} [${shape.join(", ")}], does not end on a byte`,
        { at },
      );
    const end = offset + bytesOf(type, shape);
    if (data.size !== end - offset)
      throw new LowbitError("safetensors/invalid", `${name} needs ${end - offset} bytes; its data has ${data.size}`, {
        at,
      });
    members.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":[${offset},${end}]}`,
    );
    offset = end;
  }
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const length = Math.ceil(json.byteLength / lengthBytes) * lengthBytes;
  const header = new Uint8Array(lengthBytes + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, lengthBytes);
  return { header, tensors: ordered, bytes: header.byteLength + offset };
}

/**
 * The order as given where each tensor then begins at a multiple of its element's size, so that it can be used where it lies; otherwise
 * the widest elements first, as the reference does. (The format has no room for gaps.)
 */
function aligned(tensors: readonly StoredTensor[]): readonly StoredTensor[] {
  let offset = 0;
  for (const { type, shape } of tensors) {
    if (offset % type.blockBytes !== 0) return tensors.toSorted((a, b) => width(b) - width(a));
    offset += bytesOf(type, shape);
  }
  return tensors;
}

function width({ type: { blockBytes, blockLength } }: StoredTensor): number {
  return blockBytes / blockLength;
}

/** The same tensors give the same bytes. Memory: the header and one piece. */
export async function writeSafetensors(file: Content, sink: ByteSink, options: JobOptions = {}): Promise<number> {
  return writePrepared(prepareSafetensors(file), sink, options);
}

export async function writePrepared(
  { header, tensors, bytes }: PreparedSafetensors,
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
  }
  return bytes;
}

/** A small file as bytes. */
export async function safetensorsBytes(file: Content): Promise<Uint8Array> {
  const sink = new BytesSink();
  await writeSafetensors(file, sink);
  return sink.bytes();
}
