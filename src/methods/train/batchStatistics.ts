/**
 * Batch normalization while training: mean and variance are the batch's own, and running ones follow them for later,
 * r ← m·r + (1 − m)·batch (Ioffe & Szegedy 2015). ONNX's BatchNormalization does both in its training mode.
 */
import { createGradientWriter } from "#grad/gradientWriter";
import { attribute } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Model, ValueInfo } from "#model/model";
import type { ShapeMap } from "#model/shapes";
import type { Tensor } from "#model/tensor";
import { readWeight } from "#model/weights";

export interface RunningStatistics {
  readonly model: Model;
  /** The running value's name, a weight of the original model → the output that it is next. */
  readonly next: Readonly<Record<string, string>>;
  readonly initial: Readonly<Record<string, Tensor>>;
}

/**
 * Puts every batch normalization with constant statistics into training mode; the statistics become inputs. After a batch whose `loss`
 * is no number they stay as they were.
 */
export async function withBatchStatistics(model: Model, loss: string, shapes: ShapeMap): Promise<RunningStatistics> {
  const draft = new GraphDraft(model.graph);
  const element = shapes.get(loss)?.element ?? "float32";
  const w = createGradientWriter(draft, shapes, model.opsets, element);
  const bad = w.node("Or", [w.node("IsNaN", [loss]), w.node("IsInf", [loss])]);
  const next: Record<string, string> = {};
  const initial: Record<string, Tensor> = {};
  for (const node of draft.nodes()) {
    if (node.op !== "BatchNormalization" || node.domain !== "") continue;
    const [mean, variance] = node.inputs.slice(3, 5).map((name) => draft.initializer(name));
    if (mean === undefined || variance === undefined || mean.name in next) continue;
    const outputs = [node.outputs[0], draft.freshName(`${mean.name}_next`), draft.freshName(`${variance.name}_next`)];
    const attributes = new Map(node.attributes).set("training_mode", attribute(1));
    draft.update(node, { outputs, attributes });
    for (const [ref, updated] of [[mean, outputs[1]] as const, [variance, outputs[2]] as const]) {
      w.declare(updated, ref.element, ref.dims);
      next[ref.name] = w.node("Where", [bad, ref.name, updated]);
      initial[ref.name] = await readWeight(ref);
    }
  }
  const graph = draft.finish();
  const initializers = new Map(graph.initializers);
  const inputs = Object.entries(initial).map(([name, value]): ValueInfo => {
    initializers.delete(name);
    return {
      name,
      type: { kind: "tensor", element: value.type, shape: value.dims },
      doc: "",
      metadata: new Map(),
    };
  });
  return {
    model: { ...model, graph: { ...graph, inputs: [...graph.inputs, ...inputs], initializers } },
    next,
    initial,
  };
}
