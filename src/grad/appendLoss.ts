/**
 * A model that also computes how wrong it is: a loss appended as nodes, ready for `differentiate`.
 *
 *   const { model, loss } = await appendLoss(classifier, { kind: "cross-entropy" }, { input: [64, 3, 32, 32] });
 *   const { gradients } = await differentiate(model, loss, ["conv1.weight"], { input: [64, 3, 32, 32] });
 */
import { LowbitError } from "#base/errors";
import { createGradientWriter } from "#grad/gradientWriter";
import { writeLoss } from "#grad/losses/index";
import type { Loss, LossContext, LossInput } from "#grad/losses/types";
import { prepare } from "#grad/prepare";
import { GraphDraft } from "#model/edit";
import type { Model, ValueInfo } from "#model/model";

export interface WithLoss {
  /** Inputs: those of the model, then the loss's. Outputs: those of the model, then the loss. */
  readonly model: Model;
  /** The loss's value: a scalar of the type of what it compares. */
  readonly loss: string;
  readonly inputs: readonly LossInput[];
}

/**
 * Appends a loss. `inputShapes` fixes open dims, the batch among them, as for `differentiate`: means divide by what is counted here.
 * Long sums go in stages, so that float32 loses no more than a few roundings.
 *
 * Throws model/missing-tensor for a value that the model does not have, model/shape for one whose shape does not fit or is not known,
 * usage/argument for a loss that cannot be meant.
 */
export async function appendLoss(
  original: Model,
  loss: Loss,
  inputShapes: Readonly<Record<string, readonly number[]>> = {},
): Promise<WithLoss> {
  const { model, shapes } = await prepare(original, inputShapes);
  const { outputs } = model.graph;
  const draft = new GraphDraft(model.graph);
  const element = shapes.get(outputs[0]?.name ?? "")?.element ?? "float32";
  const write = createGradientWriter(draft, shapes, model.opsets, element);
  const inputs: LossInput[] = [];
  const context: LossContext = {
    write,
    valueOf(name) {
      if (name === undefined && outputs.length === 1) return outputs[0].name;
      if (name === undefined) {
        throw new LowbitError("usage/argument", `the model has ${outputs.length} outputs: which one is the loss of?`, {
          hint: `name one of ${outputs.map((output) => output.name).join(", ")}`,
        });
      }
      if (shapes.has(name)) return name;
      throw new LowbitError("model/missing-tensor", `the model has no value ${name} that a loss could be of`, {
        at: { tensor: name },
        hint: `its outputs are ${outputs.map((output) => output.name).join(", ")}`,
      });
    },
    producer: (value) => draft.producer(value),
    input(role, of, type, shape) {
      const name = draft.freshName(inputs.some((other) => other.role === role) ? `${role}_${of}` : role);
      write.declare(name, type, shape);
      inputs.push({ name, role, of, element: type, shape });
      return name;
    },
    append: (inner) => writeLoss(inner, context),
  };
  const written = writeLoss(loss, context);
  const name = draft.freshName("loss");
  draft.rename(written, name);
  const graph = draft.finish();
  const told = inputs.map((each) => valueInfo(each.name, each.element, each.shape));
  const answer = valueInfo(name, write.typeOf(written), []);
  return {
    model: { ...model, graph: { ...graph, inputs: [...graph.inputs, ...told], outputs: [...outputs, answer] } },
    loss: name,
    inputs,
  };
}

function valueInfo(name: string, element: LossInput["element"], shape: readonly number[]): ValueInfo {
  return { name, type: { kind: "tensor", element, shape }, doc: "", metadata: new Map() };
}
