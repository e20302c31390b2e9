/**
 * Memory of one inference, modelled: the weights as they lie in memory once loaded, and the most that activations take at any step,
 * each freed after its last reader. Scratch space inside kernels and the runtime itself are left out.
 *
 * Values between fused kernels count as codes, one byte an element; weights that runtimes decode when they load a model count as
 * floats; reshaped values share their source's memory, and an elementwise result takes the place of an input that dies with it.
 */
import { subgraphs } from "#model/attributes";
import type { Graph, Model } from "#model/model";
import type { ShapeMap } from "#model/shapes";
import type { Constants } from "#report/graph/constants";
import { bytesOf, executionSteps, loadedBytes, type Step } from "#report/graph/steps";
import type { MemoryReport } from "#report/types";
import { type RunnableGraph, runnableGraph, type WorkloadOptions } from "#report/workload";

export interface MemoryUse {
  readonly weightBytes: number;
  /** Activations at the step that needs most; inputs until their last reader, outputs to the end. */
  readonly activationBytes: number;
  /** The node where that is. */
  readonly peakAt: string;
  readonly totalBytes: number;
  readonly assumed: readonly string[];
  /** Values whose size is not known, counted as nothing. */
  readonly uncounted: readonly string[];
}

export async function memoryUse(model: Model, options: WorkloadOptions = {}): Promise<MemoryUse> {
  return memoryOf(await runnableGraph(model, options));
}

/** `memoryUse` where the graph is at hand. */
export function memoryOf(runnable: RunnableGraph): MemoryUse {
  const { model, shapes, constants, assumed } = runnable;
  const planner = new Planner(shapes, constants, model.opsets.get("") ?? 0);
  const { bytes, node } = planner.peak(model.graph);
  const weightBytes = weightsInMemory(constants, shapes);
  return {
    weightBytes,
    activationBytes: bytes,
    peakAt: node,
    totalBytes: weightBytes + bytes,
    assumed,
    uncounted: [...planner.uncounted],
  };
}

/** The report's memory, both models under the same assumptions. */
export async function compareMemory(
  float: Model,
  quantized: Model,
  options: WorkloadOptions = {},
): Promise<MemoryReport> {
  const [before, after] = [await memoryUse(float, options), await memoryUse(quantized, options)];
  const notes = [...new Set([...before.assumed, ...after.assumed])].map((note) => `; taken as ${note}`);
  return {
    label: "modelled",
    what: `weights + peak activations, batch ${batchOf(options)}${notes.join("")}`,
    floatBytes: before.totalBytes,
    quantizedBytes: after.totalBytes,
  };
}

function batchOf({ inputShapes = {} }: WorkloadOptions): number {
  return Math.max(1, ...Object.values(inputShapes).map(([batch = 1]) => batch));
}

/** Every constant that something reads while the model runs, once. */
function weightsInMemory({ uses }: Constants, shapes: ShapeMap): number {
  const held = new Set(uses.map(({ constant }) => constant));
  return [...held].reduce((sum, constant) => sum + (loadedBytes(constant, shapes) ?? 0), 0);
}

/** Operators that compute each element from those at its place, so that the result can take an input's memory. */
const inPlace = new Set(
  "Relu LeakyRelu Clip Sigmoid HardSigmoid HardSwish Tanh Elu Selu Celu Softplus Softsign Abs Neg Exp Log Sqrt Reciprocal Floor Ceil Round Erf Gelu Mish Add Sub Mul Div Pow Min Max BatchNormalization PRelu Not".split(
    " ",
  ),
);

interface Peak {
  readonly bytes: number;
  readonly node: string;
}

class Planner {
  readonly uncounted = new Set<string>();
  readonly #shapes: ShapeMap;
  readonly #constants: Constants;
  readonly #opset: number;

  constructor(shapes: ShapeMap, constants: Constants, opset: number) {
    this.#shapes = shapes;
    this.#constants = constants;
    this.#opset = opset;
  }

  peak(graph: Graph): Peak {
    const steps = executionSteps(graph, this.#opset, this.#shapes, this.#constants);
    const source = sources(steps);
    const own = (name: string): string => source.get(name) ?? name;
    const last = this.#lastReaders(graph, steps, own);
    const live = new Map<string, number>();
    let held = 0;
    let peak: Peak = { bytes: 0, node: "" };
    const take = (name: string): void => {
      if (live.has(name)) return;
      const bytes = this.#bytes(name);
      live.set(name, bytes);
      held += bytes;
    };
    const free = (name: string): void => {
      held -= live.get(name) ?? 0;
      live.delete(name);
    };
    for (const { name } of graph.inputs) if (last.has(name)) take(name);
    for (const [at, step] of steps.entries()) {
      const dying = readNames(step)
        .map(own)
        .filter((name) => last.get(name) === at && live.has(name));
      const reused = this.#reused(step, dying);
      if (reused !== undefined) free(reused);
      const inner = subgraphs(step.node).reduce((most, body) => Math.max(most, this.peak(body).bytes), 0);
      for (const name of step.writes.map(own)) take(name);
      if (held + inner > peak.bytes) peak = { bytes: held + inner, node: step.node.name || step.node.outputs[0] };
      for (const name of dying) free(name);
      // what nobody reads is gone at once
      for (const name of step.writes.map(own)) if ((last.get(name) ?? -1) <= at) free(name);
    }
    return peak;
  }

  /** The last step that reads each value; outputs of the graph live beyond all steps. */
  #lastReaders(graph: Graph, steps: readonly Step[], own: (name: string) => string): Map<string, number> {
    const last = new Map<string, number>();
    for (const [at, step] of steps.entries()) for (const name of readNames(step)) last.set(own(name), at);
    for (const { name } of graph.outputs) last.set(own(name), steps.length);
    return last;
  }

  /** The input whose memory the step's result takes. */
  #reused({ node, writes, fused }: Step, dying: readonly string[]): string | undefined {
    if (writes.length !== 1 || !inPlace.has(node.op) || node.domain !== "" || fused !== undefined) return undefined;
    const bytes = this.#bytes(writes[0]);
    return dying.find((name) => this.#bytes(name) === bytes);
  }

  #bytes(name: string): number {
    const bytes = bytesOf(this.#shapes.get(name));
    if (bytes === undefined) this.uncounted.add(name);
    return bytes ?? 0;
  }
}

function readNames({ reads, captures }: Step): string[] {
  return [...reads.filter(({ constant }) => constant === undefined).map(({ value }) => value), ...captures];
}

/** Of a view, the value whose memory it is. */
function sources(steps: readonly Step[]): Map<string, string> {
  const source = new Map<string, string>();
  for (const { view, reads, writes } of steps) {
    const [from] = reads;
    if (view && from !== undefined && from.constant === undefined && writes.length > 0)
      source.set(writes[0], source.get(from.value) ?? from.value);
  }
  return source;
}
