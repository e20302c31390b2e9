/** What a runtime is: something that opens a model and gives a `Session`. Each asks the model for the form it can use. */
import type { Model } from "#model/model";
import type { Session, SessionOptions } from "#model/session";

/** A model that can be handed to any runtime: as a graph, as the bytes of one ONNX file, or written to a directory. */
export interface RunnableModel {
  readonly model: Model;
  /** The whole model as one ONNX file, weights included: at most 2 GB. */
  bytes(): Promise<Uint8Array>;
  /**
   * Writes the model, with external data where it is large, into `directory` and returns the path of the ONNX file. The
   * directory is private, empty, and removed by the runtime. Only where there are files; needed above 2 GB.
   */
  path?(directory: string): Promise<string>;
}

export interface Runtime {
  /** The registry's key and the command line's word: "reference", "ort-web", "ort-node". */
  readonly name: string;
  /** Its version, or undefined when it cannot run here; `why` then says why. */
  version(): Promise<string | undefined>;
  /** Why it cannot run here and what would change that; undefined when it can. */
  why(): Promise<string | undefined>;
  /**
   * Loads a model. Rejects with `runtime/unavailable`, `runtime/load` (the runtime refuses this model), `runtime/timeout`,
   * `runtime/memory` or `runtime/crash`, and never takes the caller's process down.
   */
  open(file: RunnableModel, options?: SessionOptions): Promise<Session>;
}
