/** Writing an ONNX file as a stream: structure from memory, weights copied from where they are, one piece at a time. */
import { type ByteSink, BytesSink } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import { type Encoded, encodeMessage } from "#formats/onnx/encodeMessage";
import { ExternalLayout } from "#formats/onnx/externalLayout";
import { writeModel } from "#formats/onnx/writeModel";
import type { Model, TensorData } from "#model/model";

/** Protobuf's own limit for one message: parsers count its bytes in a signed 32-bit integer. */
const largestProtobuf = 2 ** 31 - 1;
/** Content is copied in pieces of this many bytes. */
const pieceBytes = 4 * 2 ** 20;

export interface WriteOnnxOptions extends JobOptions {
  /**
   * Puts the content of large initializers into a second file. `location` is its name beside the model; `threshold` the smallest
   * size in bytes that goes there, default 1,024 (ONNX's own). Tensors in attributes stay in the model: not every runtime
   * looks for them elsewhere.
   */
  readonly external?: { readonly location: string; readonly sink: ByteSink; readonly threshold?: number };
}

export interface WrittenOnnx {
  readonly bytes: number;
  readonly externalBytes: number;
}

/**
 * Writes a model. The same model gives the same bytes. Memory: the structure and one piece of a weight (all of a weight that is
 * made when asked for). Throws `onnx/limit` before anything is written when the protobuf would exceed 2 GiB.
 */
export async function writeOnnx(model: Model, sink: ByteSink, options: WriteOnnxOptions = {}): Promise<WrittenOnnx> {
  const { external } = options;
  return writePrepared(prepareOnnx(model, external), sink, external?.sink ?? sink, options);
}

/** A small model as bytes. */
export async function onnxBytes(model: Model): Promise<Uint8Array> {
  const sink = new BytesSink();
  await writeOnnx(model, sink);
  return sink.bytes();
}

export interface PreparedOnnx {
  readonly protobuf: Encoded;
  /** Empty without external data. */
  readonly external: Encoded;
}

/** What will be written, with its exact size, before any content is loaded. */
export function prepareOnnx(
  model: Model,
  external?: { readonly location: string; readonly threshold?: number },
): PreparedOnnx {
  const layout = external === undefined ? undefined : new ExternalLayout(external.location, external.threshold);
  const protobuf = encodeMessage(
    "Model",
    writeModel(model, (ref) => layout?.place(ref)),
  );
  return { protobuf, external: layout ?? { length: 0, parts: [] } };
}

export async function writePrepared(
  { protobuf, external }: PreparedOnnx,
  sink: ByteSink,
  externalSink: ByteSink,
  options: JobOptions = {},
): Promise<WrittenOnnx> {
  if (protobuf.length > largestProtobuf) {
    throw new LowbitError(
      "onnx/limit",
      `the model needs ${protobuf.length} bytes; a protobuf holds ${largestProtobuf}`,
      {
        hint:
          external.length === 0
            ? "save it with external data"
            : "weights in Constant nodes stay in the model: make them initializers",
      },
    );
  }
  await writeParts(external, externalSink, "write weights", options);
  await writeParts(protobuf, sink, "write model", options);
  return { bytes: protobuf.length, externalBytes: external.length };
}

async function writeParts(encoded: Encoded, sink: ByteSink, stage: string, options: JobOptions): Promise<void> {
  let done = 0;
  for (const part of encoded.parts) {
    for await (const piece of part instanceof Uint8Array ? [part] : piecesOf(part)) {
      throwIfAborted(options.signal);
      await sink.write(piece);
      done += piece.byteLength;
      options.onProgress?.({ stage, done, total: encoded.length });
    }
  }
}

async function* piecesOf(data: TensorData): AsyncIterable<Uint8Array> {
  switch (data.kind) {
    case "bytes":
      yield data.bytes;
      return;
    case "range":
      for (let at = 0; at < data.length; at += pieceBytes) {
        yield await data.source.read(data.offset + at, Math.min(pieceBytes, data.length - at));
      }
      return;
    case "lazy": {
      const bytes = await data.load();
      if (bytes.byteLength !== data.length)
        throw new LowbitError("onnx/invalid", `a weight of ${data.length} bytes was made with ${bytes.byteLength}`);
      yield bytes;
      return;
    }
    case "strings":
      throw new LowbitError("onnx/invalid", "strings have no packed form");
  }
}
