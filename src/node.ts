/** lowbit in Node: all of index.ts, the file system, and the native runtime where it is installed. */
import { openOnnxFile, saveOnnxFile } from "#formats/onnx/onnxFile.node";
import { open as openAnywhere, openTensors as openTensorsAnywhere } from "#index";
import type { Model } from "#model/model";
import type { TensorFile } from "#model/tensorFile";
import type { JobOptions } from "#base/progress";
import type { DoctorReport } from "#report/doctorReport";
import type { Inspection } from "#report/inspect";
import type { KernelBenchReport } from "#report/kernelBench";
import type { TensorReport } from "#report/tensorReport";
import type { TrainingReport } from "#report/trainingReport";
import type { Report } from "#report/types";
import { chooseRuntime } from "#runtimes/chooseRuntime";
import { benchKernels as benchKernelsIn, type BenchKernelsOptions } from "#verbs/benchKernels";
import { doctor as doctorIn } from "#verbs/doctor";
import {
  type EvaluateFileOptions,
  evaluateFile as evaluateFileIn,
  inspectFile as inspectFileIn,
  type QuantizeFileOptions,
  quantizeFile as quantizeFileIn,
} from "#verbs/files.node";
import { type FinetuneOptions, type FinetuneResult, finetuneInMemory } from "#verbs/finetune";
import { type FinetuneFileOptions, finetuneFile as finetuneFileIn } from "#verbs/finetuneFile.node";
import { type QuantizeOptions, type QuantizeResult, quantizeInMemory } from "#verbs/library";
import { createNodeEnvironment } from "#verbs/nodeEnvironment.node";
import { optionalPackages } from "#verbs/optionalPackages.node";
import {
  type ConvertTensorFileOptions,
  convertTensorFile as convertTensorFileIn,
  openTensors as openTensorPath,
  type QuantizeTensorFileOptions,
  quantizeTensorFile as quantizeTensorFileIn,
} from "#verbs/tensorFiles.node";

export * from "#index";
export { errorCodes } from "#base/errors";
export { openData } from "#data/openData.node";
export type { DoctorReport } from "#report/doctorReport";
export { doctorText } from "#report/doctorText";
export type { KernelBenchReport } from "#report/kernelBench";
export { kernelBenchText } from "#report/kernelBenchText";
export { type PackedFiles, packFile, type PackFileOptions, unpackFile } from "#verbs/packFile.node";
export { tensorInspectionText, tensorReportText } from "#report/tensorText";
export type { TensorInspection, TensorReport } from "#report/tensorReport";
export {
  type ConvertTensorFileOptions,
  defaultTensorOutput,
  inspectTensorFile,
  type QuantizeTensorFileOptions,
  tensorFormat,
} from "#verbs/tensorFiles.node";
export type { FinetuneFileOptions } from "#verbs/finetuneFile.node";
export { defaultOutput, type EvaluateFileOptions, type QuantizeFileOptions } from "#verbs/files.node";

const environment = createNodeEnvironment();

/** Opens an ONNX model: a path (weights files beside it included), or whatever a browser can open. */
export async function open(source: string | Parameters<typeof openAnywhere>[0]): Promise<Model> {
  return typeof source === "string" ? (await openOnnxFile(source)).model : openAnywhere(source);
}

/** Writes a model to a file so that no crash leaves half of it; weights go to a second file above 1.5 GB. */
export async function save(
  model: Model,
  path: string,
  options: { readonly externalData?: boolean | "auto" } = {},
): Promise<{ readonly files: readonly string[] }> {
  return saveOnnxFile(model, path, options);
}

/** Quantizes a model in memory and proves the result; see `QuantizeOptions`. */
export function quantize(model: Model, options: QuantizeOptions = {}): Promise<QuantizeResult> {
  return quantizeInMemory(environment, model, options);
}

/** Trains a model's weights on labels, or on a teacher's answers; see `FinetuneOptions`. */
export function finetune(model: Model, options: FinetuneOptions): Promise<FinetuneResult> {
  return finetuneInMemory(environment, model, options);
}

/** Trains a model file into another; an interrupted training resumes from its checkpoint. */
export function finetuneFile(path: string, output: string, options: FinetuneFileOptions): Promise<TrainingReport> {
  return finetuneFileIn(environment, path, output, options);
}

/** Quantizes a model file into another, which appears only when it was proved. The report tells how it went. */
export function quantizeFile(path: string, output: string, options: QuantizeFileOptions = {}): Promise<Report> {
  return quantizeFileIn(environment, path, output, options);
}

/** Opens weights: the path of a safetensors, GGUF or ONNX file, or of a sharded model's index; or whatever a browser can open. */
export async function openTensors(source: string | Parameters<typeof openTensorsAnywhere>[0]): Promise<TensorFile> {
  return typeof source === "string" ? (await openTensorPath(source)).file : openTensorsAnywhere(source);
}

/** Quantizes a safetensors or GGUF file, or the weights of an ONNX model, into a safetensors or GGUF file. */
export function quantizeTensorFile(
  path: string,
  output: string,
  options: QuantizeTensorFileOptions,
): Promise<TensorReport> {
  return quantizeTensorFileIn(environment, path, output, options);
}

/** Writes weights in another format or number type: ONNX, safetensors or GGUF in, safetensors or GGUF out, by the names. */
export function convertTensorFile(
  path: string,
  output: string,
  options: ConvertTensorFileOptions = {},
): Promise<TensorReport> {
  return convertTensorFileIn(environment, path, output, options);
}

/** Judges a model file on data, against its float parent where one is named. */
export function evaluateFile(path: string, options: EvaluateFileOptions): Promise<Report> {
  return evaluateFileIn(environment, path, options);
}

/** What a model file holds, layer by layer. */
export function inspectFile(path: string): Promise<Inspection> {
  return inspectFileIn(path);
}

export interface DoctorOptions extends JobOptions {
  /** Looks at this runtime only. Default: at all. */
  readonly target?: string;
  /** Asks and measures everything again: about a minute. Default: only what is not known yet. */
  readonly refresh?: boolean;
}

/** What this machine has, what its runtimes can do, and what operators cost on it. */
export async function doctor({ target, ...options }: DoctorOptions = {}): Promise<DoctorReport> {
  const runtime = target === undefined ? undefined : await chooseRuntime(target, environment.runtimes);
  const packages = optionalPackages;
  return doctorIn(environment, { ...options, packages, ...(runtime === undefined ? {} : { runtime }) });
}

/** How fast the kernels are here, in each variant, against plain TypeScript. */
export function benchKernels(options: BenchKernelsOptions = {}): Promise<KernelBenchReport> {
  return benchKernelsIn(environment, options);
}
