/**
 * The work of one inference, counted: multiply-accumulates and other operations of every kernel, and the bytes it moves. Shapes must be
 * numbers; where one is not known, the work is listed as uncounted and never guessed.
 */
import { subgraphs } from "#model/attributes";
import type { Graph, Model, Node } from "#model/model";
import { findOp } from "#model/ops/index";
import { isConcrete } from "#model/ops/known";
import type { Cost, Known } from "#model/ops/types";
import { inferShapes, type ShapeMap } from "#model/shapes";
import { sizeOf } from "#model/tensor";
import { concreteInputs } from "#report/graph/concreteInputs";
import { type Constants, evaluatedAtLoad, findConstants } from "#report/graph/constants";
import { inlineFunctions } from "#report/graph/inlineFunctions";
import { type Arithmetic, bytesOf, executionSteps, loadedBytes, type Step } from "#report/graph/steps";

export interface StepWork {
  readonly node: Node;
  readonly arithmetic: Arithmetic;
  readonly macs: number;
  /** Other arithmetic, one per element and step. */
  readonly flops: number;
  /** Arithmetic in float32 that converts operands and results of a kernel on codes. */
  readonly rescaling: number;
  /** Bytes of constants it reads: each once, of a table that is looked up only the rows. */
  readonly weightBytes: number;
  /** Bytes of other values it reads and writes. */
  readonly activationBytes: number;
  /** How often it runs: iterations of the loops it stands in. */
  readonly times: number;
}

export interface Workload {
  readonly steps: readonly StepWork[];
  /** What was assumed: sizes of inputs, iterations of loops. */
  readonly assumed: readonly string[];
  /** Nodes whose work could not be counted, and why. */
  readonly uncounted: readonly string[];
}

export interface WorkloadOptions {
  /** Shapes of inputs. Default: as the file says, batch 1 (see `concreteInputs`). */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
}

/** A model as a runtime would run it: calls unfolded, every shape a number where the file allows. */
export interface RunnableGraph {
  readonly model: Model;
  readonly shapes: ShapeMap;
  readonly constants: Constants;
  readonly assumed: readonly string[];
}

export async function runnableGraph(model: Model, options: WorkloadOptions = {}): Promise<RunnableGraph> {
  const flat = inlineFunctions(model);
  const { inputShapes, assumed } = concreteInputs(flat, options.inputShapes);
  const shapes = await inferShapes(flat, { inputShapes });
  return { model: flat, shapes, constants: findConstants(flat, { evaluates: evaluatedAtLoad }), assumed };
}

export async function countWork(model: Model, options: WorkloadOptions = {}): Promise<Workload> {
  return workOf(await runnableGraph(model, options));
}

/** `countWork` where the graph is at hand. */
export function workOf(runnable: RunnableGraph): Workload {
  const counter = new Counter(runnable);
  const steps = counter.graph(runnable.model.graph, 1);
  return { steps, assumed: [...runnable.assumed, ...counter.assumed], uncounted: [...counter.uncounted] };
}

class Counter {
  readonly assumed: string[] = [];
  readonly uncounted = new Set<string>();
  readonly #shapes: ShapeMap;
  readonly #constants: Constants;
  readonly #opset: number;

  constructor({ model, shapes, constants }: RunnableGraph) {
    this.#shapes = shapes;
    this.#constants = constants;
    this.#opset = model.opsets.get("") ?? 0;
  }

  graph(graph: Graph, times: number): StepWork[] {
    return executionSteps(graph, this.#opset, this.#shapes, this.#constants).flatMap((step) => {
      const inner = subgraphs(step.node);
      if (inner.length === 0) return [this.#step(step, times)];
      const bodies = inner.map((body) => this.graph(body, times * this.#iterations(step.node)));
      // of branches the one with more work is taken
      const own = this.#step(step, times);
      return [own, ...bodies.reduce((most, body) => (macsOf(body) > macsOf(most) ? body : most))];
    });
  }

  #step(step: Step, times: number): StepWork {
    const { node, fused, arithmetic } = step;
    const { macs, flops } = this.#cost(node);
    const decoding = fused?.kind === "blocks" ? this.#flops(fused.dequantize.values()) : 0;
    // a normalization is folded into the weights when the model is loaded
    const chain = this.#flops((fused?.chain ?? []).filter(({ op }) => op !== "BatchNormalization"));
    return {
      node,
      arithmetic,
      macs,
      flops: fused?.kind === "moves" ? 0 : flops + decoding + (fused?.kind === "scaled" ? 0 : chain),
      rescaling: this.#rescaling(step) + (fused?.kind === "scaled" ? chain : 0),
      ...this.#traffic(step),
      times,
    };
  }

  #known(name: string): Known | undefined {
    return name === "" ? undefined : this.#shapes.get(name);
  }

  #cost(node: Node): Cost {
    const none = { macs: 0, flops: 0 };
    const op = findOp(node.domain, node.op);
    if (op === undefined) {
      this.uncounted.add(`${node.op}: no operator that lowbit knows`);
      return none;
    }
    if (op.cost === undefined) return none;
    const [inputs, outputs] = [node.inputs, node.outputs].map((names) => names.map((name) => this.#known(name)));
    const missing = [...node.inputs, ...node.outputs].find(
      (name) => name !== "" && bytesOf(this.#known(name)) === undefined,
    );
    if (missing !== undefined) {
      this.uncounted.add(`${node.op} ${node.name || node.outputs[0]}: the shape of ${missing} is not known`);
      return none;
    }
    const { macs, flops } = op.cost(node, inputs, outputs as Known[]); // every output named by the node has a known shape
    return Number.isFinite(macs + flops) ? { macs, flops } : none;
  }

  /** Quantizers always work; dequantizers where a kernel needs its operands as numbers. */
  #rescaling({ fused }: Step): number {
    if (fused === undefined || fused.kind === "moves") return 0;
    const quantize = this.#flops([...fused.quantize.values()].map(({ node }) => node));
    return quantize + (fused.kind === "pointwise" ? this.#flops(fused.dequantize.values()) : 0);
  }

  #flops(nodes: Iterable<Node>): number {
    let flops = 0;
    for (const node of nodes) flops += this.#cost(node).flops;
    return flops;
  }

  #traffic({ node, reads, writes, view }: Step): Pick<StepWork, "weightBytes" | "activationBytes"> {
    let [weightBytes, activationBytes] = [0, 0];
    if (view || node.op === "Shape" || node.op === "Size") return { weightBytes, activationBytes };
    for (const name of writes) activationBytes += this.#bytes(name, node);
    for (const { value, constant } of reads) {
      if (constant === undefined) activationBytes += this.#bytes(value, node);
      else weightBytes += this.#read(loadedBytes(constant, this.#shapes) ?? 0, value, node);
    }
    return { weightBytes, activationBytes };
  }

  /** Bytes of a constant that a node really reads: of a table only the rows it looks up. */
  #read(bytes: number, value: string, node: Node): number {
    if (!node.op.startsWith("Gather")) return bytes;
    const table = this.#known(node.inputs[0]);
    const rows = this.#known(node.outputs[0]);
    if (!isConcrete(table?.shape) || !isConcrete(rows?.shape)) return bytes;
    // packed tables have fewer elements than they stand for: never more is read than there is
    const share = Math.min(1, sizeOf(rows.shape) / Math.max(1, sizeOf(table.shape)));
    return value === node.inputs[1] ? bytes : bytes * share;
  }

  #bytes(name: string, node: Node): number {
    const bytes = bytesOf(this.#known(name));
    if (bytes === undefined)
      this.uncounted.add(`${node.op} ${node.name || node.outputs[0]}: the size of ${name} is not known`);
    return bytes ?? 0;
  }

  #iterations(node: Node): number {
    if (node.op === "Scan") {
      // its last inputs are what it scans, along their first axis unless told otherwise
      const lengths = node.inputs.map((name) => this.#known(name)?.shape?.[0]).filter((dim) => typeof dim === "number");
      return lengths.at(-1) ?? 1;
    }
    if (node.op !== "Loop") return 1;
    const trips = this.#known(node.inputs[0] ?? "")?.content?.[0] ?? this.#known(node.inputs[0] ?? "")?.value?.data[0];
    if (trips !== undefined && Number(trips) >= 0 && Number(trips) <= 1e9) return Number(trips);
    this.assumed.push(`${node.op} ${node.name || node.outputs[0]} runs once`);
    return 1;
  }
}

function macsOf(steps: readonly StepWork[]): number {
  return steps.reduce((sum, step) => sum + step.macs * step.times + 1e-6 * step.flops * step.times, 0);
}
