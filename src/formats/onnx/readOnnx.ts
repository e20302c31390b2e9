/** Reading an ONNX file: its structure into memory, its weights as byte ranges. */
import type { ByteSource } from "#base/bytes";
import { withPlace } from "#base/errors";
import { defaultLimits, type Limits } from "#base/limits";
import { type Context, refuse } from "#formats/onnx/context";
import { decodeBytes, decodeModel } from "#formats/onnx/decodeMessage";
import { parseExternalData } from "#formats/onnx/externalData";
import { readModel } from "#formats/onnx/readModel";
import { scanStructure } from "#formats/onnx/scanStructure";
import { readTensor } from "#formats/onnx/tensor";
import { validateModel } from "#formats/onnx/validateModel";
import type { Model, TensorRef } from "#model/model";

export interface ReadOnnxOptions {
  readonly limits?: Limits;
  /** Opens a file that the model names as holding weights; the location is a plain relative path (`externalData`). */
  readonly external?: (location: string) => Promise<ByteSource>;
  /** Whether `validateModel` judges the graph. Default true. */
  readonly validate?: boolean;
}

/**
 * Opens an ONNX model. Only its structure is read: a tensor of more than 1 KB stays where it is, as a range of `source`, which must
 * stay open and unchanged as long as the model is used.
 *
 * Throws `onnx/truncated`, `onnx/malformed` (not protobuf), `onnx/unsupported`, `onnx/limit`, `onnx/external-data`, and
 * `onnx/invalid` or `model/*` for a graph that breaks ONNX's rules.
 */
export async function readOnnx(source: ByteSource, options: ReadOnnxOptions = {}): Promise<Model> {
  const { limits = defaultLimits, validate = true } = options;
  const skeleton = await scanStructure(source, limits);
  const { model: proto, external: tensors } = decodeModel(skeleton, source);
  const external = new Map<string, ByteSource>();
  const context = { file: source.name, limits, external };
  if (options.external !== undefined) {
    for (const tensor of tensors) {
      const at = { tensor: tensor.name ?? "" };
      const { location } = parseExternalData(tensor.externalData ?? [], (code, what) =>
        refuse(context, tensor, code, `tensor ${at.tensor} ${what}`, { at }),
      );
      if (external.has(location)) continue;
      const opened = await options.external(location).catch((error: unknown) => {
        throw withPlace(error, { ...at, file: source.name });
      });
      external.set(location, opened);
    }
  }
  const model: Model = { ...readModel(proto, context), origin: { name: source.name, size: source.size } };
  if (!validate) return model;
  try {
    validateModel(model, limits);
  } catch (error) {
    throw withPlace(error, { file: source.name });
  }
  return model;
}

/** A TensorProto in memory, such as ONNX's test data (`input_0.pb`). Its bytes are shared, not copied. */
export function parseTensorProto(bytes: Uint8Array, name = "tensor"): TensorRef {
  const context: Context = { file: name, irVersion: 0, limits: defaultLimits, external: new Map() };
  return readTensor(decodeBytes("Tensor", bytes, name), context);
}
