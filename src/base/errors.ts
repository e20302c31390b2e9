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
  "plan/no-calibration": 1,
  "plan/nothing-to-quantize": 1,
  "plan/already-quantized": 1,
  "plan/mismatch": 1,
  "proof/output": 1,
  "proof/agreement": 1,
  "report/malformed": 1,
} as const;

export type ErrorCode = keyof typeof errorCodes;

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
  /** What to do next, as one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export class LowbitError extends Error {
  override readonly name = "LowbitError";
  readonly code: ErrorCode;
  readonly at: Place;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.at = details.at ?? {};
    this.hint = details.hint;
  }

  /** What a process should end with after this error. */
  get exitCode(): number {
    return errorCodes[this.code];
  }

  toJSON(): { code: ErrorCode; message: string; at: Place; hint?: string } {
    return {
      code: this.code,
      message: this.message,
      at: this.at,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    };
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
  const details: { at: Place; hint?: string; cause?: unknown } = { at: { ...at, ...error.at }, cause: error.cause };
  if (error.hint !== undefined) details.hint = error.hint;
  const placed = new LowbitError(error.code, error.message, details);
  if (error.stack !== undefined) placed.stack = error.stack;
  return placed;
}
