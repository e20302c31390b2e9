/** Samples → what one step is fed. */
import { LowbitError } from "#base/errors";
import type { LossInput } from "#grad/losses/types";
import type { TrainingSample } from "#methods/train/types";
import type { Tensors } from "#model/session";
import { allocate, int64, sizeOf, type Tensor, type TypedArray } from "#model/tensor";

/** The samples' tensors, one behind the other along the first axis. Throws data/shape for one that differs from the first. */
export function joinSamples(samples: readonly TrainingSample[]): Record<string, Tensor> {
  return Object.fromEntries(
    Object.keys(samples[0].inputs).map((name) => [
      name,
      concatenate(
        name,
        samples.map(({ inputs, id }) => ({ id, value: inputs[name] })),
      ),
    ]),
  );
}

interface Part {
  readonly id: string;
  readonly value: Tensor | undefined;
}

function concatenate(input: string, parts: readonly Part[]): Tensor {
  const first = parts[0].value;
  if (first === undefined || first.type === "string" || first.dims.length === 0)
    throw new LowbitError("data/shape", `input ${input} has no batch axis: samples cannot be put together`, {
      at: { file: parts[0].id, tensor: input },
    });
  const { type, dims } = first;
  const inner = sizeOf(dims.slice(1));
  const rows = parts.reduce((sum, { value }) => sum + (value?.dims[0] ?? 0), 0);
  const data = allocate(type, rows * inner) as TypedArray; // strings were refused
  let at = 0;
  for (const { id, value } of parts) {
    if (value === undefined || value.type !== type || value.dims.slice(1).join() !== dims.slice(1).join())
      throw new LowbitError(
        "data/shape",
        `${id} gives input ${input} ${value === undefined ? "nothing" : `${value.type} [${value.dims.join(", ")}]`}; ${parts[0].id} gave ${type} [${dims.join(", ")}]`,
        { at: { file: id, tensor: input }, hint: "samples of one training have one shape; resize them alike" },
      );
    (data as Float32Array).set(value.data as Float32Array, at); // same type, as was checked
    at += value.data.length;
  }
  return { type, dims: [rows, ...dims.slice(1)], data };
}

/** The labels a loss asks for, as the model counts classes. −1 stands for "does not count". Throws data/labels. */
export function joinLabels(
  samples: readonly TrainingSample[],
  { shape, name, of }: LossInput,
  { classes, classOffset }: { readonly classes: number; readonly classOffset: number },
): Tensor {
  const labels: number[] = [];
  for (const { label, targets, id } of samples) {
    if (label === undefined && targets === undefined)
      throw new LowbitError("data/labels", `${id} has no label`, {
        at: { file: id },
        hint: "label all samples, or train on the answers of a teacher",
      });
    const own = targets ?? [label as number]; // one of the two is there
    for (const each of own) {
      const shifted = each < 0 ? -1 : each + classOffset;
      if (shifted >= classes)
        throw new LowbitError("data/labels", `${id} has label ${each}, but ${of} tells ${classes} classes apart`, {
          at: { file: id, tensor: of },
          hint: "see --class-offset and --output-name",
        });
      labels.push(shifted);
    }
  }
  if (labels.length !== sizeOf(shape))
    throw new LowbitError("data/labels", `${name} needs ${sizeOf(shape)} labels; the samples have ${labels.length}`, {
      at: { tensor: of },
      hint: "a classifier needs one label a sample, a language model one a position",
    });
  return int64(shape, labels);
}

/** Joined answers of a teacher, under the names the loss has for them. */
export function teacherFeeds(inputs: readonly LossInput[], answers: Tensors): Record<string, Tensor> {
  return Object.fromEntries(inputs.filter(({ role }) => role === "teacher").map(({ name, of }) => [name, answers[of]]));
}
