/** What differs between Node and a browser, in one place: the verbs take it as an argument and index.ts / node.ts supply theirs. */
import { onnxBytes } from "#formats/onnx/index";
import type { Model } from "#model/model";
import type { OpenSession } from "#model/session";
import type { RunnableModel, Runtime } from "#runtimes/types";
import type { CostStore } from "#targets/hostCosts";

export interface Environment {
  readonly runtimes: Readonly<Record<string, Runtime>>;
  /** Writes a model as files into an empty directory; where there are files. */
  readonly writeModel?: (model: Model, directory: string) => Promise<string>;
  /** Keeps measured costs between runs. */
  readonly costs?: CostStore;
  /** Names the processor, for the key of measured costs. */
  readonly processor: string;
}

/** A model as any runtime can open it. */
export function runnable(environment: Environment, model: Model): RunnableModel {
  const { writeModel } = environment;
  return {
    model,
    bytes: () => onnxBytes(model),
    ...(writeModel === undefined ? {} : { path: (directory: string) => writeModel(model, directory) }),
  };
}

export function sessionOpener(environment: Environment, runtime: Runtime): OpenSession {
  return (model, options) => runtime.open(runnable(environment, model), options);
}
