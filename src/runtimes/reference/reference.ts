/**
 * The runtime that needs nothing: operators computed by their definitions, in this thread. Slow, and right: what the
 * others are compared with, and what algorithms are tested on.
 */
import { LowbitError } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import { interpret } from "#model/interpreter";
import type { Model, Node, ValueInfo } from "#model/model";
import type { IteratingSession, SessionOptions, Tensors } from "#model/session";
import type { Tensor } from "#model/tensor";
import { definedNames } from "#model/topology";
import { checkFeeds, checkFetches, checkKept } from "#runtimes/ort/checkCall";
import type { Runtime } from "#runtimes/types";

/** Counts up when an operator's definition changes its results. */
const version = "1";

/**
 * A session of the reference runtime. `fetches` of its `run` may name any value of the main graph, not only outputs. It
 * reads all weights at once, ignores `threads`, `optimize` and `memoryBytes` (one tensor may have `tensorBytes` of
 * base/limits), and looks at the clock between operators.
 *
 * Rejects with model/unsupported-operator, naming every operator that is not known.
 */
export async function createReferenceSession(model: Model, options: SessionOptions = {}): Promise<IteratingSession> {
  const { timeoutMs = 60_000, signal } = options;
  throwIfAborted(signal);
  const { graph } = model;
  const interpreter = await interpret(model);
  const inputs = graph.inputs.map((info) => ({ ...metaOf(info), optional: graph.initializers.has(info.name) }));
  const outputNames = graph.outputs.map(({ name }) => name);
  const values = definedNames(graph);
  let open = true;

  let kept: Record<string, Tensor> = {};

  function once(feeds: Tensors, fetches: readonly string[]): Record<string, Tensor> {
    if (!open) throw new LowbitError("runtime/closed", "the session is closed");
    checkFeeds(
      inputs.filter(({ name, optional }) => !optional || feeds[name] !== undefined),
      feeds,
    );
    checkFetches(
      outputNames,
      fetches.filter((name) => !values.has(name)),
    );
    throwIfAborted(signal);
    if (fetches.length === 0) return {}; // as every runtime, nothing is computed for nobody
    const deadline = performance.now() + timeoutMs;
    const beforeNode = (node: Node): void => {
      if (performance.now() <= deadline) return;
      throw new LowbitError("runtime/timeout", `the run was not done after ${timeoutMs} ms, at ${node.op}`, {
        hint: "raise timeoutMs, or use ONNX Runtime: these are the slow definitions",
      });
    };
    try {
      return interpreter.run(feeds, { fetches, beforeNode });
    } catch (error) {
      throw asRunError(error);
    }
  }

  return {
    runtime: `reference ${version}`,
    inputNames: inputs.map(({ name }) => name),
    outputNames,
    async run(feeds, fetches = outputNames) {
      // results are copies: an operator may hand an input or a weight through
      return Object.fromEntries(Object.entries(once(feeds, fetches)).map(([name, value]) => [name, copy(value)]));
    },
    async step(feeds, carry, fetches = outputNames.filter((name) => !Object.values(carry).includes(name))) {
      const results = once({ ...kept, ...feeds }, [...new Set([...fetches, ...Object.values(carry)])]);
      kept = Object.fromEntries(Object.entries(carry).map(([input, output]) => [input, copy(results[output])]));
      return Object.fromEntries(fetches.map((name) => [name, copy(results[name])]));
    },
    async carried(names) {
      checkKept(new Set(Object.keys(kept)), names);
      return Object.fromEntries(names.map((name) => [name, copy(kept[name])]));
    },
    async time(feeds, rounds) {
      return Float64Array.from({ length: rounds }, () => {
        const start = performance.now();
        once(feeds, outputNames);
        return performance.now() - start;
      });
    },
    async close() {
      open = false;
    },
  };
}

function metaOf({ name, type }: ValueInfo) {
  if (type?.kind !== "tensor") return { name, type: undefined, dims: [] };
  return { name, type: type.element, dims: (type.shape ?? []).map((dim) => dim ?? "") };
}

function copy({ type, dims, data }: Tensor): Tensor {
  return { type, dims, data: data.slice() };
}

/** What goes wrong in a run has a runtime's code, whichever operator found it. */
function asRunError(error: unknown): unknown {
  if (!(error instanceof LowbitError) || error.code.startsWith("runtime/")) return error;
  const code = error.code === "limit/memory" ? "runtime/memory" : "runtime/run";
  return new LowbitError(code, error.message, { at: error.at, cause: error, hint: error.hint });
}

/** The reference runtime among the others. */
export const reference = {
  name: "reference",
  version: async () => version,
  why: async () => undefined,
  open: async ({ model }, options) => createReferenceSession(model, options),
} satisfies Runtime;
