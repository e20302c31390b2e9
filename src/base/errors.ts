/**
 * The one error class, the one diagnostic shape, and the closed list of codes.
 *
 * A code is `layer/what`. Each has a paragraph in docs/errors.md (a test holds the two lists equal). What stops the work is
 * thrown as a `LowbitError`; what does not is collected as a `Diagnostic` and shown in the report, never printed by the library.
 */

/** Every code, with the exit code that the command line ends with: 1 refused, 2 usage, 3 out of memory or time, 4 input/output. */
export const errorCodes = {
  // base: bytes, files, limits
  "io/not-found": 4,
  "io/read": 4,
  "io/write": 4,
  "io/no-space": 4,
  "io/changed": 4,
  "limit/memory": 3,
  "run/interrupted": 130,
  // usage: what the caller asked for
  "usage/argument": 2,
  "usage/unknown-recipe": 2,
  "usage/scheme": 2,
  "usage/same-file": 2,
  // formats
  "onnx/truncated": 1,
  "onnx/malformed": 1,
  "onnx/limit": 1,
  "onnx/invalid": 1,
  "onnx/external-data": 1,
  "onnx/unsupported": 1,
  "lbz/malformed": 1,
  "safetensors/truncated": 1,
  "safetensors/malformed": 1,
  "safetensors/limit": 1,
  "safetensors/invalid": 1,
  "safetensors/shard": 1,
  "safetensors/unsupported": 1,
  "gguf/truncated": 1,
  "gguf/malformed": 1,
  "gguf/limit": 1,
  "gguf/invalid": 1,
  "gguf/unsupported": 1,
  "npy/malformed": 1,
  "npy/unsupported": 1,
  "npz/malformed": 1,
  "npz/limit": 1,
  // model
  "model/cycle": 1,
  "model/missing-tensor": 1,
  "model/duplicate": 1,
  "model/unsupported-operator": 1,
  "model/opset": 1,
  "model/shape": 1,
  "model/type": 1,
  "model/attribute": 1,
  // quant
  "quant/non-finite": 1,
  "quant/scheme": 1,
  "quant/range": 1,
  // data
  "data/none": 1,
  "data/unsupported": 1,
  "data/malformed": 1,
  "data/shape": 1,
  "data/labels": 1,
  "data/decoder": 1,
  "data/tokenizer": 1,
  // runtimes
  "runtime/unavailable": 1,
  "runtime/load": 1,
  "runtime/run": 1,
  "runtime/crash": 1,
  "runtime/timeout": 3,
  "runtime/memory": 3,
  "runtime/closed": 1,
  // methods and proof
  "train/no-weights": 1,
  "train/no-target": 1,
  "train/diverged": 1,
  "train/checkpoint": 1,
  "plan/no-calibration": 1,
  "plan/nothing-to-quantize": 1,
  "plan/already-quantized": 1,
  "plan/mismatch": 1,
  "proof/output": 1,
  "proof/agreement": 1,
  "proof/constant": 1,
  "report/malformed": 1,
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** What to do next where the one who throws knows nothing better. */
const usualHints: Readonly<Record<ErrorCode, string>> = {
  "io/not-found": "check the spelling; relative paths start where the command runs",
  "io/read": "check that it is a file, and that it may be read",
  "io/write": "write elsewhere",
  "io/no-space": "free some space, or write elsewhere",
  "io/changed": "start again when nothing else writes to the file",
  "limit/memory": "use smaller inputs, or raise the limit where you call lowbit from a program",
  "run/interrupted": "the same command starts again from the beginning",
  "usage/argument": "lowbit --help shows what there is",
  "usage/unknown-recipe": "lowbit quantize --help names the recipes",
  "usage/scheme": "a scheme is dtype[/granularity][/flag], for example int8/channel or uint4/group:32",
  "usage/same-file": "choose another path",
  "onnx/truncated": "the file is incomplete: compare its size with the original's, and download it again",
  "onnx/malformed": "the file is damaged or no ONNX model: download or export it again",
  "onnx/limit": "no model of a known exporter needs this much; do not trust the file",
  "onnx/invalid": "export the model again; onnx.checker tells the same in more detail",
  "onnx/external-data": "weights must lie beside the model, below its folder",
  "onnx/unsupported": "export the model again with current tools, as plain ONNX",
  "lbz/malformed": "the packed file is damaged: copy or pack it again",
  "safetensors/truncated": "the file is incomplete: compare its size with the original's, and download it again",
  "safetensors/malformed": "the file is damaged or no safetensors file: download it or save it again",
  "safetensors/limit": "no model needs this much; do not trust the file",
  "safetensors/invalid": "do not trust the file; safetensors.torch.save_file writes none like it",
  "safetensors/shard": "a sharded model is its index and all files it names, in one folder: download it again",
  "safetensors/unsupported": "choose another type with --weights, or another format",
  "gguf/truncated": "the file is incomplete: compare its size with the original's, and download it again",
  "gguf/malformed": "the file is damaged or no GGUF file: download it again",
  "gguf/limit": "no model needs this much; do not trust the file",
  "gguf/invalid": "do not trust the file; llama.cpp does not load it either",
  "gguf/unsupported": "choose a type that GGUF has with --weights, or another format",
  "npy/malformed": "save the array again with numpy.save",
  "npy/unsupported": "save the array as float32, in C order",
  "npz/malformed": "save the arrays again with numpy.savez",
  "npz/limit": "do not trust the file; numpy.savez writes none like it",
  "model/cycle": "no runtime can run this graph: export the model again",
  "model/missing-tensor": "the graph is incomplete: export the model again",
  "model/duplicate": "names in a graph must be unique: export the model again",
  "model/unsupported-operator": "use a runtime that knows the operator: --target ort-node",
  "model/opset": "export the model for operator set 13 or newer",
  "model/shape": "check the shapes of the inputs that the model is given",
  "model/type": "check the types that the model's operators are given",
  "model/attribute": "the node is not as ONNX defines its operator: export the model again",
  "quant/non-finite": "repair the weights in training, or keep this layer in float (--keep)",
  "quant/scheme": "use another scheme for this tensor",
  "quant/range": "calibrate on more data, or choose another range rule, such as minmax",
  "data/none": "give --data a folder or file with at least one sample",
  "data/unsupported": "give images, .npy, .npz, MNIST idx, CIFAR .bin, .jsonl or token ids",
  "data/malformed": "the file is damaged: make it again",
  "data/shape": "the samples must have the shape of the model's input",
  "data/labels": "without labels, use --metric agreement",
  "data/decoder": "install sharp, or give .npy files",
  "data/tokenizer": "give the model's own tokenizer.json with --tokenizer",
  "runtime/unavailable": "lowbit doctor tells what this machine has",
  "runtime/load": "check the model with the ONNX checker",
  "runtime/run": "check the shapes and values of the inputs",
  "runtime/crash": "try another runtime with --target",
  "runtime/timeout": "raise --timeout; a model that is not trusted may never end",
  "runtime/memory": "use smaller inputs, or a machine with more memory",
  "runtime/closed": "open the model again",
  "train/no-weights": "give the float model: quantized codes cannot be trained",
  "train/no-target": "give labels, or a teacher whose answers are to be learned",
  "train/diverged": "lower the learning rate",
  "train/checkpoint": "start anew without --resume",
  "plan/no-calibration": "give --data a folder of typical inputs, or use --recipe w8a8-dynamic, which needs none",
  "plan/nothing-to-quantize": "lowbit inspect shows what the model holds",
  "plan/already-quantized": "give the float32 model it was made from",
  "plan/mismatch": "make the plan again for this model and target",
  "proof/output": "keep the layer that breaks in float (--keep), or use another recipe",
  "proof/agreement": "keep the layers that lose most in float (--keep), or use more bits",
  "proof/constant": "give real samples, on which the model's answers differ",
  "report/malformed": "pass what lowbit --json or --html wrote",
};

/** Where it happened: as many of these as are known. */
export interface Place {
  readonly file?: string;
  readonly tensor?: string;
  readonly node?: string;
  readonly op?: string;
  /** Offset in the file. */
  readonly byte?: number;
  readonly line?: number;
}

export interface ErrorDetails {
  readonly at?: Place;
  /** What to do next, as one sentence. Default: what usually helps with this code. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export class LowbitError extends Error {
  override readonly name = "LowbitError";
  readonly code: ErrorCode;
  readonly at: Place;
  /** What to do next, as one sentence. */
  readonly hint: string;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.at = details.at ?? {};
    this.hint = details.hint ?? usualHints[code];
  }

  /** What a process should end with after this error. */
  get exitCode(): number {
    return errorCodes[this.code];
  }

  toJSON(): { readonly code: ErrorCode; readonly message: string; readonly at: Place; readonly hint: string } {
    const { code, message, at, hint } = this;
    return { code, message, at, hint };
  }
}

/** Something worth telling that did not stop the work. */
export interface Diagnostic {
  /** `layer/what`, like an error code but open: diagnostics are data in the report, nobody catches them. */
  readonly code: string;
  readonly level: "info" | "warning";
  readonly message: string;
  readonly at?: Place;
  readonly hint?: string;
}

/** Adds what is known about the place to an error on its way up; the innermost answer wins. */
export function withPlace(error: unknown, at: Place): unknown {
  if (!(error instanceof LowbitError)) return error;
  const { code, message, hint, cause } = error;
  const placed = new LowbitError(code, message, { at: { ...at, ...error.at }, hint, cause });
  if (error.stack !== undefined) placed.stack = error.stack;
  return placed;
}
