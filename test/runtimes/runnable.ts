import type { Model, TensorRef } from "#model/model";
import type { RunnableModel } from "#runtimes/types";

/** The bytes of a file as a `RunnableModel`. Its graph tells nothing but, for the memory limit, weights if given. */
export function runnable(
  bytes: Uint8Array,
  name = "test.onnx",
  initializers = new Map<string, TensorRef>(),
): RunnableModel {
  const none = new Map<string, never>();
  const model: Model = {
    irVersion: 10,
    opsets: new Map([["", 21]]),
    graph: { name: "", nodes: [], inputs: [], outputs: [], initializers, values: none, doc: "", metadata: none },
    functions: [],
    producer: { name: "", version: "" },
    domain: "",
    modelVersion: 0,
    doc: "",
    metadata: none,
    origin: { name, size: bytes.byteLength },
  };
  return { model, bytes: async () => bytes };
}
