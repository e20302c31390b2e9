/** What became of a file of weights. JSON, version 1: fields may be added, never renamed. Sizes are bytes. */
import type { Diagnostic } from "#base/errors";

export interface QuantizedRow {
  readonly name: string;
  readonly shape: readonly number[];
  /** Its type before. */
  readonly from: string;
  /** As it is stored now. */
  readonly scheme: string;
  readonly fromBytes: number;
  /** With scales and everything else that decodes it. */
  readonly bytes: number;
  /** Signal ÷ noise of the decoded weights; null where nothing was lost, and for casts. */
  readonly sqnrDb: number | null;
}

export interface TensorReport {
  readonly version: 1;
  readonly tool: string;
  readonly input: { readonly path: string; readonly format: string; readonly bytes: number };
  readonly output: {
    readonly path: string;
    readonly files: readonly string[];
    readonly format: string;
    readonly bytes: number;
  };
  /** Tensors that are stored otherwise than before. */
  readonly quantized: readonly QuantizedRow[];
  /** How many of the input stayed as they were. */
  readonly kept: { readonly tensors: number; readonly bytes: number };
  readonly diagnostics: readonly Diagnostic[];
  readonly durationMs: number;
}

/** What a file of weights holds. JSON, version 1, under the same rules. */
export interface TensorInspection {
  readonly version: 1;
  readonly file: { readonly name: string; readonly format: string; readonly bytes: number; readonly files: number };
  /** Arrays by their length: a tokenizer's words are many. */
  readonly metadata: readonly { readonly key: string; readonly type: string; readonly text: string }[];
  /** Of all tensors as they are stored. */
  readonly types: readonly { readonly type: string; readonly tensors: number; readonly bytes: number }[];
  /** Numbers that the weights stand for, codes decoded. */
  readonly parameters: number;
  /** In the order of the file; a quantized tensor with all that decodes it is one. */
  readonly tensors: readonly InspectedTensor[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface InspectedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** → "float16", "q4_k", "int4/group:32" */
  readonly scheme: string;
  readonly bytes: number;
}
