/**
 * lowbit: neural networks made small and fast, and proved so. This entry runs in every browser; Node gets node.ts, which adds files.
 *
 *   const model = await open(bytes);
 *   const { bytes: small, report } = await quantize(model, { data: await dataFromImages(files, { inputs: modelInputs(model) }) });
 */
import { blobSource, bytesSource, urlSource } from "#base/bytes";
import { readOnnx } from "#formats/onnx/index";
import type { Model } from "#model/model";
import { browserEnvironment } from "#verbs/browserEnvironment";
import { type FinetuneOptions, type FinetuneResult, finetuneInMemory } from "#verbs/finetune";
import { type QuantizeOptions, type QuantizeResult, quantizeInMemory } from "#verbs/library";

export { type Diagnostic, type ErrorCode, LowbitError, type Place } from "#base/errors";
export type { JobOptions, ProgressEvent } from "#base/progress";
export { dataFromArrays } from "#data/dataFromArrays";
export { dataFromImages } from "#data/dataFromImages";
export { modelInputs } from "#data/modelInputs";
export { randomData } from "#data/random/randomData";
export type { Dataset, ModelInput, Sample } from "#data/types";
export { onnxBytes as save } from "#formats/onnx/index";
export { readRecipe } from "#methods/readRecipe";
export { recipes } from "#methods/recipes";
export type { Plan, Recipe, Stats } from "#methods/types";
export type { Attribute, Graph, Model, Node, TensorRef } from "#model/model";
export type { Session, SessionOptions, Tensors } from "#model/session";
export type { ElementType, Tensor } from "#model/tensor";
export { compareQuantizersText } from "#report/compareQuantizersText";
export { compareText } from "#report/compare";
export { formats, type FormatsReport } from "#report/formats";
export { formatsText } from "#report/formatsText";
export { reportHtml, readReportHtml } from "#report/html";
export { inspect, type Inspection } from "#report/inspect";
export { inspectText } from "#report/inspectText";
export { parseReport, reportJson } from "#report/json";
export { reportMarkdown } from "#report/markdown";
export { reportText } from "#report/text";
export type { TrainingReport } from "#report/trainingReport";
export { trainingText } from "#report/trainingText";
export type { QuantizerComparison, Report } from "#report/types";
export { visible } from "#report/visible";
export type { StoredTensor, TensorFile } from "#model/tensorFile";
export { convertTensors, type ConvertTensorsOptions } from "#verbs/convertTensors";
export type { FinetuneOptions, FinetuneResult } from "#verbs/finetune";
export type { QuantizeOptions, QuantizeResult } from "#verbs/library";
export type { QuantizedTensors, QuantizeTensorsOptions } from "#verbs/quantizeTensors";
export { openTensors, quantizeTensorsInMemory as quantizeTensors, tensorBytes } from "#verbs/tensorLibrary";
export { compareQuantizers, type CompareQuantizersOptions } from "#verbs/compareQuantizers";
export { quantizerPictures } from "#verbs/quantizerPictures";
export {
  dequantizeTensor,
  fakeQuantizeTensor,
  type QuantizedTensor,
  quantizeTensor,
  type TensorOptions,
} from "#verbs/tensors";
export { version } from "#verbs/version";

/** Opens an ONNX model without loading its weights: bytes, a File or Blob, or a URL whose server answers range requests. */
export async function open(source: Uint8Array | ArrayBuffer | Blob | URL): Promise<Model> {
  if (source instanceof URL) return readOnnx(await urlSource(source.href));
  if (source instanceof Blob) return readOnnx(blobSource(source));
  return readOnnx(bytesSource(source instanceof Uint8Array ? source : new Uint8Array(source)));
}

/** Quantizes a model and proves the result; see `QuantizeOptions`. */
export function quantize(model: Model, options: QuantizeOptions = {}): Promise<QuantizeResult> {
  return quantizeInMemory(browserEnvironment, model, options);
}

/** Trains a model's weights on labels, or on a teacher's answers; see `FinetuneOptions`. */
export function finetune(model: Model, options: FinetuneOptions): Promise<FinetuneResult> {
  return finetuneInMemory(browserEnvironment, model, options);
}
