/** What differs between Node and a browser, in one place: the verbs take it as an argument; index.ts and node.ts supply theirs. */
import type { Model } from "#model/model";
import type { OpenSession, SessionOptions } from "#model/session";
import type { RunnableModel, Runtime } from "#runtimes/types";
import type { CostStore } from "#targets/hostCosts";

/** A model serialised once: what is proved is, byte for byte, what is published. */
export interface Candidate {
  readonly runnable: RunnableModel;
  /** External data included. */
  readonly bytes: number;
  /** Hex, of the model file. */
  readonly sha256: string;
  dispose(): Promise<void>;
}

export interface MaterializeOptions {
  /** What the file will be called, which a weights file beside it is named after. */
  readonly fileName?: string;
  /** Whether weights go into a second file, where there are files. "auto" (default): when the model would exceed 1.5 GB. */
  readonly externalData?: boolean | "auto";
}

export interface Environment<C extends Candidate = Candidate> {
  readonly runtimes: Readonly<Record<string, Runtime>>;
  /** A model for one session, serialised when the runtime asks. */
  runnable(model: Model): RunnableModel;
  materialize(model: Model, options?: MaterializeOptions): Promise<C>;
  /** Keeps measured costs between runs. */
  readonly costs: CostStore;
  /** Names the processor, for the key of measured costs: "AMD EPYC", or "unknown". */
  readonly processor: string;
  /** "lowbit 0.1.0", written into outputs. */
  readonly tool: string;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
}

/** Opens models in a runtime; every session stops with the signal, and has the time limit where it does not say otherwise. */
export function sessionOpener(
  environment: Environment,
  runtime: Runtime,
  { signal, timeoutMs }: SessionOptions = {},
): OpenSession {
  const limits = { ...(signal === undefined ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  return (model, options) => runtime.open(environment.runnable(model), { ...limits, ...options });
}
