/** Files of weights in memory, the same in Node and in a browser. */
import { blobSource, type ByteSource, BytesSink, bytesSource, urlSource } from "#base/bytes";
import { memoryStore } from "#base/byteStore";
import { readGguf } from "#formats/gguf/readGguf";
import { writeGguf } from "#formats/gguf/writeGguf";
import { readSafetensors } from "#formats/safetensors/readSafetensors";
import { writeSafetensors } from "#formats/safetensors/writeSafetensors";
import type { TensorFile, TensorFormat } from "#model/tensorFile";
import { convertTensors } from "#verbs/convertTensors";
import { type QuantizedTensors, quantizeTensors, type QuantizeTensorsOptions } from "#verbs/quantizeTensors";

/** Opens a safetensors or GGUF file without loading its tensors: bytes, a File or Blob, or a URL whose server answers range requests. */
export async function openTensors(source: Uint8Array | ArrayBuffer | Blob | URL): Promise<TensorFile> {
  const bytes = await sourceOf(source);
  const start = String.fromCharCode(...(await bytes.read(0, Math.min(4, bytes.size))));
  return start === "GGUF" ? readGguf(bytes) : readSafetensors(bytes);
}

async function sourceOf(source: Uint8Array | ArrayBuffer | Blob | URL): Promise<ByteSource> {
  if (source instanceof URL) return urlSource(source.href);
  if (source instanceof Blob) return blobSource(source);
  return bytesSource(source instanceof Uint8Array ? source : new Uint8Array(source));
}

/** Quantizes the matrices among weights; what they become stays in memory, all else where it was. See `QuantizeTensorsOptions`. */
export async function quantizeTensorsInMemory(
  file: TensorFile,
  format: Exclude<TensorFormat, "onnx">,
  options: QuantizeTensorsOptions,
): Promise<QuantizedTensors> {
  const quantized = await quantizeTensors(file, format, memoryStore(), options);
  return { ...quantized, file: convertTensors(quantized.file, format) };
}

/** Weights as the bytes of a file, in their format: see `convertTensors` for another. */
export async function tensorBytes(file: TensorFile): Promise<Uint8Array> {
  const sink = new BytesSink();
  await (file.format === "gguf" ? writeGguf(file, sink) : writeSafetensors(file, sink));
  return sink.bytes();
}
