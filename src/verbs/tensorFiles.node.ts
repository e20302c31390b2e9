/** Files of weights: opened, converted, quantized, inspected. */
import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { atomicWrite } from "#base/atomicWrite";
import type { Diagnostic } from "#base/errors";
import { LowbitError, withPlace } from "#base/errors";
import { openFileSource } from "#base/fileSource.node";
import type { FsPort } from "#base/fileSystem";
import type { JobOptions } from "#base/progress";
import { createScratchFile } from "#base/scratchFile.node";
import { readGguf } from "#formats/gguf/readGguf";
import { prepareGguf, writePrepared } from "#formats/gguf/writeGguf";
import { openOnnxFile } from "#formats/onnx/onnxFile.node";
import { onnxTensors } from "#formats/onnx/onnxTensors";
import { openSafetensorsFile, saveSafetensorsFile } from "#formats/safetensors/safetensorsFile.node";
import { type CastType, isCastType } from "#model/castTensor";
import { type MetadataValue, textValue } from "#model/metadata";
import type { TensorFile, TensorFormat } from "#model/tensorFile";
import type { TensorInspection, TensorReport } from "#report/tensorReport";
import { convertTensors } from "#verbs/convertTensors";
import { type NodeEnvironment, sha256File } from "#verbs/nodeEnvironment.node";
import { checkOutputs } from "#verbs/outputPath.node";
import { quantizeTensors, type QuantizeTensorsOptions } from "#verbs/quantizeTensors";
import { inspectTensors } from "#verbs/inspectTensors";

export interface OpenedTensors {
  readonly file: TensorFile;
  /** All files it is made of, the one that was named first. */
  readonly paths: readonly string[];
  readonly bytes: number;
  readonly diagnostics: readonly Diagnostic[];
  /** Tensors cannot be read after this. */
  readonly close: () => Promise<void>;
}

/** What a file is, by its first bytes; the index of a sharded model is safetensors. Throws `io/not-found`, `io/read`. */
export async function tensorFormat(path: string): Promise<TensorFormat> {
  const source = await openFileSource(path);
  try {
    const start = await source.read(0, Math.min(16, source.size));
    const text = String.fromCharCode(...start);
    if (text.startsWith("GGUF")) return "gguf";
    if (/\.json$/i.test(path) || /\.safetensors$/i.test(path)) return "safetensors";
    // a header's length, of which no model needs the upper half, and its opening brace
    return /^.{4}\0{4}\s*\{/s.test(text) ? "safetensors" : "onnx";
  } finally {
    await source.close();
  }
}

/** Opens safetensors (sharded too, by its index), GGUF, or the weights of an ONNX model. Throws as their readers do. */
export async function openTensors(path: string): Promise<OpenedTensors> {
  switch (await tensorFormat(path)) {
    case "safetensors":
      return openSafetensorsFile(path);
    case "gguf": {
      const source = await openFileSource(path);
      const close = (): Promise<void> => source.close();
      try {
        return { file: await readGguf(source), paths: [path], bytes: source.size, diagnostics: [], close };
      } catch (error) {
        await close();
        throw error;
      }
    }
    case "onnx": {
      const { model, diagnostics, close } = await openOnnxFile(path);
      const { file, diagnostics: own } = onnxTensors(model);
      return { file, paths: [path], bytes: model.origin?.size ?? 0, diagnostics: [...diagnostics, ...own], close };
    }
  }
}

export interface SaveTensorsOptions extends JobOptions {
  /** Divides safetensors among files of at most so many bytes, with an index beside them. Default: one file. */
  readonly shardBytes?: number;
}

/** Saves tensors in their format so that either all files are there or nothing has changed. Returns their paths. */
export async function saveTensors(
  file: TensorFile,
  path: string,
  fileSystem: FsPort,
  options: SaveTensorsOptions = {},
): Promise<readonly string[]> {
  if (file.format === "safetensors") return saveSafetensorsFile(file, path, { ...options, fileSystem });
  const prepared = prepareGguf(file);
  await atomicWrite(fileSystem, dirname(path), [basename(path)], ([sink]) => writePrepared(prepared, sink, options));
  return [path];
}

export interface QuantizeTensorFileOptions extends QuantizeTensorsOptions, SaveTensorsOptions {
  /** Tensors to leave as they are, by name with `*` for anything. */
  readonly keep?: readonly string[];
}

/** Quantizes a file of weights into another, which appears only when it is complete. */
export async function quantizeTensorFile(
  environment: NodeEnvironment,
  path: string,
  output: string,
  options: QuantizeTensorFileOptions,
): Promise<TensorReport> {
  const { keep = [], rules = [], seed = 0 } = options;
  return writeTensors(environment, path, output, options, async (opened, format) => {
    const scratch = await createScratchFile(dirname(resolve(output)));
    const settled = { ...options, rules: [...rules, ...keep.map((match) => ({ match, weights: "float" }))] };
    try {
      const { file, rows, diagnostics } = await quantizeTensors(opened.file, format, scratch, settled);
      const metadata = new Map(file.metadata);
      const sha256 = await Promise.all(opened.paths.map(sha256File));
      metadata.set("lowbit.tool", textValue(environment.tool));
      metadata.set("lowbit.input.sha256", textValue(sha256.join(" ")));
      metadata.set("lowbit.weights", textValue(options.weights));
      metadata.set("lowbit.seed", textValue(String(seed)));
      if (format === "gguf") describeBlocks(metadata);
      const converted = convertTensors({ ...file, metadata }, format);
      return { file: converted, rows, diagnostics, dispose: () => scratch.remove() };
    } catch (error) {
      await scratch.remove();
      throw error;
    }
  });
}

/** The version of ggml's blocks. What they are mostly is left to llama.cpp to see: what was said of the input is true no more. */
function describeBlocks(metadata: Map<string, MetadataValue>): void {
  metadata.set("general.quantization_version", { type: "uint32", value: 2 });
  metadata.delete("general.file_type");
}

export interface ConvertTensorFileOptions extends SaveTensorsOptions {
  /** Type of all matrices of floats, quantized ones decoded: "float32", "float16", "bfloat16". Default: as they are. */
  readonly weights?: string;
}

/** The same weights in another format or type; both are told by the output's name and `weights`. */
export async function convertTensorFile(
  environment: NodeEnvironment,
  path: string,
  output: string,
  options: ConvertTensorFileOptions = {},
): Promise<TensorReport> {
  const weights = options.weights === undefined ? undefined : castType(options.weights);
  return writeTensors(environment, path, output, options, async ({ file }, format) => {
    return {
      file: convertTensors(file, format, weights === undefined ? {} : { weights }),
      rows: [],
      diagnostics: [],
      dispose: async () => {},
    };
  });
}

function castType(text: string): CastType {
  if (isCastType(text)) return text;
  throw new LowbitError("usage/scheme", `convert changes no tensor to ${text}`, {
    hint: "it can to float32, float16 and bfloat16; lowbit quantize does the rest",
  });
}

interface Made {
  readonly file: TensorFile;
  readonly rows: TensorReport["quantized"];
  readonly diagnostics: readonly Diagnostic[];
  readonly dispose: () => Promise<void>;
}

async function writeTensors(
  environment: NodeEnvironment,
  path: string,
  output: string,
  options: SaveTensorsOptions,
  make: (opened: OpenedTensors, format: Exclude<TensorFormat, "onnx">) => Promise<Made>,
): Promise<TensorReport> {
  const started = environment.now();
  const format = outputFormat(output);
  await checkOutputs({ write: [[output, "-o"]], read: [path] });
  const opened = await openTensors(path);
  try {
    await checkOutputs({ write: [[output, "-o"]], read: opened.paths });
    const made = await make(opened, format);
    try {
      const files = await saveTensors(made.file, output, environment.fileSystem, options);
      const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
      const touched = new Set(made.rows.map(({ name }) => name));
      const kept = opened.file.tensors.filter(({ name }) => !touched.has(name));
      return {
        version: 1,
        tool: environment.tool,
        input: { path, format: opened.file.format, bytes: opened.bytes },
        output: { path: files[files.length - 1], files, format, bytes: sizes.reduce((sum, size) => sum + size, 0) },
        quantized: made.rows,
        kept: { tensors: kept.length, bytes: kept.reduce((sum, { data }) => sum + data.size, 0) },
        diagnostics: [...opened.diagnostics, ...made.diagnostics],
        durationMs: environment.now() - started,
      };
    } finally {
      await made.dispose();
    }
  } catch (error) {
    throw withPlace(error, { file: path });
  } finally {
    await opened.close();
  }
}

/** By its name. ONNX needs a graph, which files of weights do not have. */
function outputFormat(output: string): Exclude<TensorFormat, "onnx"> {
  if (/\.safetensors$/i.test(output)) return "safetensors";
  if (/\.gguf$/i.test(output)) return "gguf";
  const at = { file: output };
  if (/\.onnx$/i.test(output))
    throw new LowbitError(
      "usage/argument",
      `${output} cannot be made of weights alone: ONNX is a graph, and they have none`,
      {
        at,
        hint: "export the model to ONNX where its code is, and quantize that; or choose a name that ends in .safetensors or .gguf",
      },
    );
  throw new LowbitError("usage/argument", `the name ${output} does not tell its format`, {
    at,
    hint: "end it in .safetensors or .gguf",
  });
}

/** Default name of an output: model.safetensors → model.int4-group-32.safetensors */
export function defaultTensorOutput(path: string, weights: string): string {
  const [, stem, extension] = /^(.*?)(?:\.safetensors\.index\.json|(\.\w+))$/i.exec(basename(path)) ?? [
    null,
    basename(path),
  ];
  const word = weights.replace(/[^\w.+-]+/g, "-");
  return join(dirname(path), `${stem}.${word}${weights.startsWith("gguf:") ? ".gguf" : (extension ?? ".safetensors")}`);
}

/** What a file of weights holds. */
export async function inspectTensorFile(path: string): Promise<TensorInspection> {
  const { file, paths, bytes, diagnostics, close } = await openTensors(path);
  try {
    return inspectTensors(file, { paths, bytes, diagnostics });
  } finally {
    await close();
  }
}
