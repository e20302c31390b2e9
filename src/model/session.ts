/** The port through which anything is executed. Algorithms know this and nothing of the runtimes behind it. */
import type { Model } from "#model/model";
import type { ElementType, Tensor } from "#model/tensor";

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
  /** Milliseconds one load or one `run` may take. Default 60,000. */
  readonly timeoutMs?: number;
  /** Bytes the runtime's process may occupy. Default: three times the weights, counted as float32, plus 1.5 GB. */
  readonly memoryBytes?: number;
  /** Once aborted, the session ends at once, in mid-run too: its calls reject with `run/interrupted`. */
  readonly signal?: AbortSignal;
}

export type OpenSession = (model: Model, options?: SessionOptions) => Promise<Session>;

/** Time of one kernel of the graph as the runtime optimized it: names may be those of fused nodes. */
export interface KernelTime {
  readonly node: string;
  readonly op: string;
  readonly outputShape: readonly number[];
  readonly outputType: ElementType | undefined;
  /** Median over the rounds, in microseconds; what a loop's body takes in all its iterations is added up. */
  readonly medianUs: number;
}

/** A session that also tells where the time goes. */
export interface ProfilingSession extends Session {
  /** Runs `rounds` times with the runtime's profiler on. Kernels come in order of execution. */
  profile(feeds: Tensors, rounds: number): Promise<KernelTime[]>;
}

/**
 * A session whose outputs can be inputs of its next run without leaving the runtime: weights and optimizer states of a training
 * step, caches of a decoder.
 */
export interface IteratingSession extends Session {
  /**
   * Runs once, then keeps the output `carry[input]` for each such input. An input that is kept need not be fed again; one that is
   * fed is what was fed. `fetches` default to the outputs that are not carried. A run that fails keeps what there was before.
   */
  step(
    feeds: Tensors,
    carry: Readonly<Record<string, string>>,
    fetches?: readonly string[],
  ): Promise<Record<string, Tensor>>;
  /** What is kept for these inputs now. */
  carried(inputs: readonly string[]): Promise<Record<string, Tensor>>;
}

/** Tells a session that keeps outputs from one that does not. */
export function canIterate(session: Session): session is IteratingSession {
  return "step" in session;
}

/** Tells a session that can profile from one that cannot. */
export function canProfile(session: Session): session is ProfilingSession {
  return "profile" in session;
}
