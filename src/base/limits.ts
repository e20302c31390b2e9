/**
 * The one table of limits. A model file is hostile until read: nothing is allocated because a header says so, nothing recurses
 * as deep as a file likes. Every limit can be raised by the caller; each says why it has its default.
 */
export interface Limits {
  /**
   * Memory for the structure of one ONNX file (everything but the data of large tensors), as its bytes plus an estimate of what each
   * field costs once decoded. A graph of 100,000 nodes needs some 200 MB.
   */
  readonly onnxStructureBytes: number;
  /** Fields of one ONNX file. 40 MB of one-byte fields parse in about 0.3 s. */
  readonly onnxFields: number;
  /** Nesting of protobuf messages; Go allows 10,000, C++ 100. A subgraph costs three levels. */
  readonly onnxDepth: number;
  /** Bytes of a safetensors header, or of the index of a sharded model. The largest models need some 100 KB a shard. */
  readonly safetensorsHeaderBytes: number;
  /** Memory for the structure of one GGUF file, as its bytes plus 64 for each text and 512 for each array. Tokenizers need some 50 MB. */
  readonly ggufHeaderBytes: number;
  /** One text among GGUF's metadata. */
  readonly ggufStringBytes: number;
  /** Tensors of one safetensors or GGUF file. */
  readonly tensors: number;
  /** Bytes of one tensor that may be loaded at once. */
  readonly tensorBytes: number;
  /** Rank of one tensor; ONNX Runtime stops at 8 for most operators. */
  readonly tensorRank: number;
  /** Characters of an npy header; NumPy's own limit. */
  readonly npyHeaderBytes: number;
  readonly npzMembers: number;
  /** Unpacked size ÷ packed size of one npz member; deflate cannot exceed 1,032. */
  readonly npzRatio: number;
  /** Unpacked size ÷ size of an .lbz file, above `unpackedBytes`; nothing but a file of zeros comes near. */
  readonly lbzRatio: number;
  /** Bytes that one packed member or `.gz` file of data may unpack to. */
  readonly unpackedBytes: number;
  /** Bytes of one JSON file of data, or of one line of JSONL. */
  readonly jsonBytes: number;
  /** Width × height of one image. */
  readonly imagePixels: number;
  readonly imageBytes: number;
  /** Files of one data folder. */
  readonly dataFiles: number;
}

export const defaultLimits: Limits = {
  onnxStructureBytes: 512 * 2 ** 20,
  onnxFields: 20_000_000,
  onnxDepth: 64,
  safetensorsHeaderBytes: 25_000_000,
  ggufHeaderBytes: 256 * 2 ** 20,
  ggufStringBytes: 64 * 2 ** 20,
  tensors: 200_000,
  tensorBytes: 4 * 2 ** 30,
  tensorRank: 64,
  npyHeaderBytes: 10_000,
  npzMembers: 10_000,
  npzRatio: 1_100,
  lbzRatio: 1_100,
  unpackedBytes: 2 ** 30,
  jsonBytes: 256 * 2 ** 20,
  imagePixels: 40_000_000,
  imageBytes: 64 * 2 ** 20,
  dataFiles: 1_000_000,
};
