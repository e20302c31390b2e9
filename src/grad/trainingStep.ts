/**
 * One step of training as a model: batch, weights and optimizer states in; loss, next weights and next states out. A session that
 * keeps outputs (`IteratingSession`) runs it again and again without the weights leaving the runtime.
 */
import { LowbitError } from "#base/errors";
import { differentiate } from "#grad/differentiate";
import { createGradientWriter } from "#grad/gradientWriter";
import { optimizers, type OptimizerName } from "#grad/optimizers";
import { GraphDraft } from "#model/edit";
import type { Model, ValueInfo } from "#model/model";
import type { GradientWriter } from "#model/ops/gradient";
import { inferShapes } from "#model/shapes";
import { type ElementType, fromNumbers, sizeOf, type Tensor } from "#model/tensor";
import { readWeight } from "#model/weights";

export interface TrainingOptions {
  /** The value of one element that is to become small. */
  readonly loss: string;
  /** Names of the weights that change. */
  readonly weights: readonly string[];
  readonly optimizer?: { readonly name: OptimizerName } & Readonly<Record<string, number | boolean | string>>;
  /** Gradients are scaled down to this length where all of them together are longer. Default: never. */
  readonly clipNorm?: number;
  /** Batches whose gradients are averaged before weights change. Default 1. */
  readonly accumulate?: number;
  /** Decay of a moving average of the weights, kept beside them. Default: none is kept. */
  readonly average?: number;
  /** Values that come out with the loss: logits, to count right answers. */
  readonly watch?: readonly string[];
  /** Shapes of the inputs, the batch included. */
  readonly inputShapes: Readonly<Record<string, readonly number[]>>;
}

export interface TrainingStep {
  readonly model: Model;
  /** For `IteratingSession.step`: the output that each state's input takes next. */
  readonly carry: Readonly<Record<string, string>>;
  /** States of the first step: weights as they are, the rest 0. */
  readonly initial: Readonly<Record<string, Tensor>>;
  /** Scalar inputs of every step. `apply` only where batches are accumulated. */
  readonly scalars: { readonly learningRate: string; readonly step: string; readonly apply?: string };
  readonly loss: string;
  /** The state that holds each weight's moving average. Each weight's own state has its name. */
  readonly averages: ReadonlyMap<string, string>;
}

/**
 * Builds the step. Weights whose loss is NaN or infinite stay as they were: one bad batch does not cost the training.
 * Throws as `differentiate`, and model/missing-tensor for a name that is no weight.
 */
export async function trainingStep(original: Model, options: TrainingOptions): Promise<TrainingStep> {
  const { loss, weights, clipNorm, accumulate = 1, average, watch = [], inputShapes } = options;
  const { name: optimizerName, ...chosen } = options.optimizer ?? { name: "sgd" };
  const optimizer = optimizers[optimizerName] as (typeof optimizers)["sgd"];
  const settings = { ...optimizer.defaults, ...chosen };
  const open = await withWeightsAsInputs(original, weights);
  const shapesOf = { ...inputShapes, ...open.shapes };
  const { model, gradients } = await differentiate(open.model, loss, weights, shapesOf);
  const draft = new GraphDraft(model.graph);
  const w = createGradientWriter(
    draft,
    await inferShapes(model, { inputShapes: shapesOf }),
    model.opsets,
    open.element,
  );
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const carry: Record<string, string> = {};
  const initial: Record<string, Tensor> = { ...open.values };
  const input = (base: string, dims: readonly number[], element: ElementType = open.element): string => {
    const name = draft.freshName(base);
    inputs.push(valueOf(name, element, dims));
    w.declare(name, element, dims);
    return name;
  };
  const scalars = {
    learningRate: input("learning_rate", []),
    step: input("step", []),
    ...(accumulate > 1 ? { apply: input("apply", [], "bool") } : {}),
  };
  /** Declares a state that starts as 0; what it is next is given later. */
  const state = (base: string, dims: readonly number[]): string => {
    const name = input(base, dims);
    initial[name] = fromNumbers(open.element, dims, new Float64Array(sizeOf(dims)));
    return name;
  };
  const keep = (name: string, next: string, dims: readonly number[]): void => {
    carry[name] = next;
    outputs.push(valueOf(next, open.element, dims));
  };

  const bad = w.node("Or", [w.node("IsNaN", [loss]), w.node("IsInf", [loss])]);
  const frozen = scalars.apply === undefined ? bad : w.node("Or", [bad, w.node("Not", [scalars.apply])]);
  const summed = gradients.map((gradient, i): { total: string; sum?: string } => {
    if (accumulate === 1) return { total: gradient };
    const sum = state(`${weights[i]}_gradient`, open.shapes[weights[i]]);
    const share = w.node("Div", [gradient, w.scalar(accumulate)]);
    const usable = w.node("Where", [bad, w.scalar(0), share]);
    return { total: w.node("Add", [sum, usable]), sum };
  });
  const clipped =
    clipNorm === undefined
      ? summed.map(({ total }) => total)
      : clip(
          w,
          summed.map(({ total }) => total),
          clipNorm,
        );
  const averages = new Map<string, string>();
  weights.forEach((weight, i) => {
    const dims = open.shapes[weight];
    const states = optimizer.states(settings).map((kind) => state(`${weight}_${kind}`, dims));
    const next = optimizer.update(w, weight, clipped[i], states, scalars, settings);
    const settled = (value: string, before: string): string => w.node("Where", [frozen, before, value]);
    const nextWeight = settled(next.weight, weight);
    keep(weight, nextWeight, dims);
    states.forEach((name, k) => keep(name, settled(next.states[k], name), dims));
    const { sum, total } = summed[i];
    if (sum !== undefined && scalars.apply !== undefined)
      keep(sum, w.node("Where", [scalars.apply, w.scalar(0), total]), dims);
    if (average !== undefined) {
      const kept = state(`${weight}_average`, dims);
      initial[kept] = open.values[weight];
      const moved = w.node("Add", [
        w.node("Mul", [kept, w.scalar(average)]),
        w.node("Mul", [carry[weight], w.scalar(1 - average)]),
      ]);
      keep(kept, settled(moved, kept), dims);
      averages.set(weight, kept);
    }
  });
  const graph = draft.finish();
  const told = [loss, ...watch].map((name): ValueInfo => valueOf(name, w.typeOf(name), w.shapeOf(name)));
  return {
    model: { ...model, graph: { ...graph, inputs: [...graph.inputs, ...inputs], outputs: [...told, ...outputs] } },
    carry,
    initial,
    scalars,
    loss,
    averages,
  };
}

/** All gradients · min(1, limit / (their common length + 10⁻⁶)), as PyTorch clips. */
function clip(w: GradientWriter, gradients: readonly string[], limit: number): string[] {
  const squares = gradients.map((gradient) => w.node("ReduceSumSquare", [gradient], { keepdims: 0 }));
  const length = w.node("Sqrt", [squares.length === 1 ? squares[0] : w.node("Sum", squares)]);
  const factor = w.node("Min", [
    w.scalar(1),
    w.node("Div", [w.scalar(limit), w.node("Add", [length, w.scalar(1e-6)])]),
  ]);
  return gradients.map((gradient) => w.node("Mul", [gradient, factor]));
}

interface OpenWeights {
  readonly model: Model;
  readonly values: Readonly<Record<string, Tensor>>;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly element: ElementType;
}

/** The model with weights as inputs, and their values. */
async function withWeightsAsInputs(model: Model, names: readonly string[]): Promise<OpenWeights> {
  const { graph } = model;
  const initializers = new Map(graph.initializers);
  const values: Record<string, Tensor> = {};
  const shapes: Record<string, readonly number[]> = {};
  const inputs = graph.inputs.filter(({ name }) => !names.includes(name));
  let element: ElementType = "float32";
  for (const name of names) {
    const ref = initializers.get(name);
    if (ref === undefined)
      throw new LowbitError("model/missing-tensor", `${name} is no weight of the model`, {
        at: { tensor: name },
        hint: `weights are, for example, ${[...graph.initializers.keys()].slice(0, 3).join(", ") || "none"}`,
      });
    initializers.delete(name);
    values[name] = await readWeight(ref);
    shapes[name] = ref.dims;
    element = ref.element;
    inputs.push(valueOf(name, ref.element, ref.dims));
  }
  return { model: { ...model, graph: { ...graph, inputs, initializers } }, values, shapes, element };
}

function valueOf(name: string, element: ElementType, shape: readonly number[]): ValueInfo {
  return { name, type: { kind: "tensor", element, shape }, doc: "", metadata: new Map() };
}
