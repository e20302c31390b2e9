/** A file of weights in another format, or its numbers in another type: nothing is lost that is not asked to be. */
import { bytesSource, type ByteSource, checkRange } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { storageOfBlocks } from "#formats/gguf/ggmlTypes";
import { description, descriptionKey } from "#formats/safetensors/quantizedLayout";
import { type QuantizedEntry, quantizedEntries } from "#formats/safetensors/readQuantized";
import { castTensor, type CastType } from "#model/castTensor";
import { type MetadataValue, textOf, textValue } from "#model/metadata";
import { metadataValue } from "#model/metadataText";
import { isDecodable, isPlainFloat } from "#model/readFloats";
import { packTensor } from "#model/tensor";
import { bytesOf, type StoredTensor, storageOf, type TensorFile, type TensorFormat } from "#model/tensorFile";
import { dequantize } from "#quant/dequantize";
import { type GgmlTypeName, ggmlTypes } from "#quant/ggml/index";

export interface ConvertTensorsOptions {
  /** Type of all matrices of floats, quantized ones decoded. Default: as they are. */
  readonly weights?: CastType;
}

/**
 * The same tensors for another format. Blocks of ggml pass from GGUF to safetensors and back as they are; what else is quantized has to be
 * decoded. For GGUF, vectors of half precision become float32, as llama.cpp wants them. Throws `gguf/unsupported` for codes that have no
 * place there; what the target's types do not hold, its writer refuses.
 */
export function convertTensors(
  file: TensorFile,
  format: Exclude<TensorFormat, "onnx">,
  { weights }: ConvertTensorsOptions = {},
): TensorFile {
  const entries = quantizedEntries(file);
  const metadata = new Map<string, MetadataValue>(
    Array.from(file.metadata, ([key, value]) => {
      const text = format === "gguf" ? textOf(value) : undefined;
      return [key, text === undefined ? value : metadataValue(text)] as const;
    }),
  );
  const owner = new Map(entries.flatMap((entry) => entry.parts.map((part) => [part.name, entry] as const)));
  const converted = new Set<QuantizedEntry>();
  const tensors: StoredTensor[] = [];
  for (const tensor of file.tensors) {
    const entry = owner.get(tensor.name);
    if (entry === undefined) {
      tensors.push(...plainTensor(tensor, format, weights, metadata));
    } else if (format === "safetensors" && weights === undefined) {
      tensors.push(tensor);
    } else if (!converted.has(entry)) {
      converted.add(entry);
      metadata.delete(descriptionKey(entry.name));
      tensors.push(weights === undefined ? blocksOf(entry) : castTensor(decoded(entry), weights));
    }
  }
  return { format, metadata, tensors };
}

function plainTensor(
  tensor: StoredTensor,
  format: TensorFormat,
  weights: CastType | undefined,
  metadata: Map<string, MetadataValue>,
): readonly StoredTensor[] {
  const { type, shape, name } = tensor;
  if (weights !== undefined && isDecodable(type) && (shape.length >= 2 || !isPlainFloat(type)))
    return [castTensor(tensor, weights)];
  if (format === "gguf") return [shape.length < 2 && isHalf(tensor) ? castTensor(tensor, "float32") : tensor];
  if (!Object.hasOwn(ggmlTypes, type.name)) return [tensor];
  const scheme = `gguf:${type.name}`;
  const decoding = { kind: "ggml", type: type.name as GgmlTypeName } as const;
  metadata.set(descriptionKey(name), textValue(description({ scheme, decoding }, shape)));
  const rows = shape.length < 2 ? 1 : shape[0];
  const dims = packTensor({ type: "int64", dims: [shape.length], data: BigInt64Array.from(shape, BigInt) });
  return [
    { ...tensor, name: `${name}_packed`, type: storageOf("uint8"), shape: [rows, tensor.data.size / rows] },
    {
      name: `${name}_shape`,
      type: storageOf("int64"),
      shape: [shape.length],
      data: bytesSource(dims, tensor.data.name),
    },
  ];
}

function isHalf({ type: { element } }: StoredTensor): boolean {
  return element === "float16" || element === "bfloat16";
}

/** Codes of ggml as the blocks they are. */
function blocksOf({ name, shape, parts, blocks, scheme }: QuantizedEntry): StoredTensor {
  const data = parts.find((part) => part.name === `${name}_packed`)?.data;
  if (blocks !== undefined && data !== undefined) {
    const type = storageOfBlocks(blocks);
    if (data.size === bytesOf(type, shape)) return { name, type, shape, data };
    throw new LowbitError("safetensors/invalid", `${name}, ${blocks} [${shape.join(", ")}], has ${data.size} bytes`, {
      at: { tensor: name },
    });
  }
  throw new LowbitError("gguf/unsupported", `${name} is ${scheme}, which GGUF has no type for`, {
    at: { tensor: name },
    hint: "decode it with --weights float16, or quantize the float model with --weights gguf:q4_0",
  });
}

/** As float32: decoded when its first bytes are read, forgotten after its last. */
function decoded(entry: QuantizedEntry): StoredTensor {
  const type = storageOf("float32");
  let loaded: Uint8Array | undefined;
  const data: ByteSource = {
    name: entry.name,
    size: bytesOf(type, entry.shape),
    async read(offset, length) {
      checkRange(data, offset, length);
      const bytes = loaded ?? new Uint8Array(dequantize(await entry.load()).buffer);
      loaded = offset + length < data.size ? bytes : undefined;
      return bytes.subarray(offset, offset + length);
    },
  };
  return { name: entry.name, type, shape: entry.shape, data };
}
