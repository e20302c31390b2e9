import { LowbitError } from "#base/errors";
import type { ModelInput } from "#data/types";
import type { Model } from "#model/model";

/** What a model wants to be fed: name, element type and dims of each input. Throws `data/unsupported` for what is no tensor. */
export function modelInputs(model: Model): ModelInput[] {
  return model.graph.inputs.map(({ name, type }) => {
    if (type?.kind !== "tensor" || type.element === undefined)
      throw new LowbitError("data/unsupported", `input ${name} of the model is not a tensor of a known type`, {
        at: { tensor: name },
        hint: "lowbit feeds tensors only; make sequences and maps inside the graph",
      });
    return { name, type: type.element, dims: type.shape };
  });
}
