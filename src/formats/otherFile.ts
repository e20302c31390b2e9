import type { ByteSource } from "#base/bytes";
import { LowbitError } from "#base/errors";

/** What people hand over instead of a model, by its first bytes. */
const others: readonly (readonly [start: string, hint: string])[] = [
  ["version https://git-lfs", "this is a Git LFS pointer, not the model: run `git lfs pull`"],
  ["<", "this is a web page, not the model: the download went to a login or error page"],
  ["{", "this is JSON, not a model"],
  ["GGUF", "this is a GGUF file: lowbit inspect, convert and quantize take it as one"],
  ["PK\u0003\u0004", "this is a zip archive (a PyTorch checkpoint?): export the model to ONNX first"],
  ["\u001f", "this is a compressed file: unpack it first"],
  ["\u0089HDF", "this is an HDF5 file (Keras?): convert the model to ONNX first"],
];

/** Adds to a parser's error what the file seems to be, as far as its first bytes tell. */
export async function explainOtherFile(error: unknown, source: ByteSource): Promise<unknown> {
  if (!(error instanceof LowbitError) || !/^(onnx|safetensors)\//.test(error.code) || source.size < 32) return error;
  const start = String.fromCharCode(...(await source.read(0, 32)));
  const hint =
    start.slice(4, 8) === "ORTM"
      ? "this is ONNX Runtime's own format (.ort), not ONNX"
      : others.find(([magic]) => start.startsWith(magic))?.[1];
  return hint === undefined ? error : new LowbitError(error.code, error.message, { at: error.at, hint, cause: error });
}
