/** What differs between Node and a browser, in one place: the verbs take it as an argument; index.ts and node.ts supply theirs. */
import type { Model } from "#model/model";
import type { OpenSession } from "#model/session";
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

export interface Environment<C extends Candidate = Candidate> {
  readonly runtimes: Readonly<Record<string, Runtime>>;
  /** A model for one session, serialised when the runtime asks. */
  runnable(model: Model): RunnableModel;
  /** `fileName`: what the file will be called, which a weights file beside it is named after. */
  materialize(model: Model, fileName?: string): Promise<C>;
  /** Keeps measured costs between runs. */
  readonly costs: CostStore;
  /** Names the processor, for the key of measured costs: "AMD EPYC", or "unknown". */
  readonly processor: string;
  /** "lowbit 0.1.0", written into outputs. */
  readonly tool: string;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
}

export function sessionOpener(environment: Environment, runtime: Runtime): OpenSession {
  return (model, options) => runtime.open(environment.runnable(model), options);
}
