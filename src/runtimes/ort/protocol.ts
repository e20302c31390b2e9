/**
 * What we and the program that holds ONNX Runtime say to each other. One request at a time, each answered once; a long
 * answer sends `tick`s meanwhile, so that "still working" and "hanging" can be told apart.
 *
 * That program (worker.js, and ortNode/child.js around it) is plain JavaScript that imports nothing of ours: Node runs
 * the file as it stands, from src/ and from dist/, and a bundler finds it by its URL.
 */
import type * as OnnxRuntime from "onnxruntime-web";
import type { KernelTime, Tensors } from "#model/session";
import type { Tensor } from "#model/tensor";

/** First request of all: what must be settled before the runtime is loaded. */
export interface Start {
  readonly op: "start";
  readonly threads?: number;
  /** Largest WebAssembly memory, in pages of 64 KiB. */
  readonly pages?: number;
  /** Folder or URL of onnxruntime-web's .wasm file, when it does not lie beside the script. */
  readonly wasmPaths?: string;
}

export interface Open {
  readonly op: "open";
  /** A path for onnxruntime-node, the file's bytes for onnxruntime-web. */
  readonly model: string | Uint8Array;
  /** InferenceSession.SessionOptions, with `extra` keys as ONNX Runtime's documentation names them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Resident bytes at which the process ends itself. */
  readonly memoryBytes?: number;
}

export type Request =
  | Start
  | Open
  | { readonly op: "run"; readonly feeds: Tensors; readonly fetches: readonly string[] }
  | {
      readonly op: "step";
      readonly feeds: Tensors;
      readonly carry: Readonly<Record<string, string>>;
      readonly fetches: readonly string[];
    }
  | { readonly op: "carried"; readonly inputs: readonly string[] }
  | { readonly op: "time"; readonly feeds: Tensors; readonly rounds: number }
  | { readonly op: "profile"; readonly feeds: Tensors; readonly rounds: number }
  | { readonly op: "close" };

/** What each request is answered with. */
export interface Answers {
  start: { readonly version: string };
  open: { readonly inputs: readonly ValueMeta[]; readonly outputs: readonly ValueMeta[] };
  run: Record<string, Tensor>;
  step: Record<string, Tensor>;
  carried: Record<string, Tensor>;
  time: Float64Array;
  profile: KernelTime[];
  /** Bytes the program still occupies. */
  close: { readonly bytes: number };
}

/** A graph input or output as the runtime tells it. */
export interface ValueMeta {
  readonly name: string;
  /** ONNX Runtime's word, which for every type it can exchange is ours too; undefined: not a tensor. */
  readonly type: string | undefined;
  /** Strings are sizes not known before the run. Empty for a scalar, but also when the rank is unknown. */
  readonly dims: readonly (number | string)[];
}

export type Message = { readonly id: number; readonly request: Request };

export type Reply =
  | { readonly id: number; readonly value: Answers[Request["op"]] }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } }
  | { readonly id: number; readonly tick: true };

/** The program's own side: a loaded ONNX Runtime and what is special about the place it runs in. */
export interface Loaded {
  readonly ort: typeof OnnxRuntime;
  readonly version: string;
  occupiedBytes(): number;
  /** Tells the memory watch what the next session may take. */
  limit?(bytes: number): void;
  /** `tick` is called between rounds. */
  profile?(
    open: Open,
    feeds: OnnxRuntime.InferenceSession.FeedsType,
    warmUps: number,
    rounds: number,
    tick: () => void,
  ): Promise<KernelTime[]>;
}
