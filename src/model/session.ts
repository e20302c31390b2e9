/** The port through which anything is executed. Algorithms know this and nothing of the runtimes behind it. */
import type { Model } from "#model/model";
import type { Tensor } from "#model/tensor";

export type Tensors = Readonly<Record<string, Tensor>>;

export interface Session {
  /** Which runtime this is, with its version: "ort-node 1.30.0". */
  readonly runtime: string;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Runs once. `fetches` default to all outputs. Rejects with `runtime/*` codes; never takes the caller's process down. */
  run(feeds: Tensors, fetches?: readonly string[]): Promise<Record<string, Tensor>>;
  /** Runs `rounds` times inside the runtime and returns each run's milliseconds, transport excluded. */
  time(feeds: Tensors, rounds: number): Promise<Float64Array>;
  /** Frees everything; further calls reject with runtime/closed. Safe to call twice. */
  close(): Promise<void>;
}

export interface SessionOptions {
  /** Threads inside one operator; default 1, because children spin (stack.md P7). */
  readonly threads?: number;
  /** Graph optimization of the runtime: "all" as deployed, "basic" to keep the file's own arithmetic, "none". Default "all". */
  readonly optimize?: "all" | "basic" | "none";
  /** Milliseconds one `run` may take. Default 60,000. */
  readonly timeoutMs?: number;
  /** Bytes the runtime's process may occupy. Default: three times the model plus 1.5 GB. */
  readonly memoryBytes?: number;
}

export type OpenSession = (model: Model, options?: SessionOptions) => Promise<Session>;
