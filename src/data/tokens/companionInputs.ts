import { LowbitError } from "#base/errors";
import { describe, isFree } from "#data/matchInput";
import type { ModelInput } from "#data/types";
import type { Tensors } from "#model/session";
import { fromNumbers, sizeOf, type Tensor } from "#model/tensor";

/**
 * What exported transformers want beside the ids, for one unpadded text read from its start: a mask of ones, token types of zero,
 * positions 0, 1, 2, …, an empty cache. Throws `data/shape` for an input whose meaning is not known.
 */
export function companionInputs(inputs: readonly ModelInput[], ids: ModelInput, length: number, file: string): Tensors {
  const entries = inputs
    .filter((input) => input !== ids)
    .map((input): [string, Tensor] => [input.name, companion(input, length, file)]);
  return Object.fromEntries(entries);
}

function companion(input: ModelInput, length: number, file: string): Tensor {
  const { name, type } = input;
  const perToken = (value: (position: number) => number): Tensor =>
    fromNumbers(
      type,
      [1, length],
      Array.from({ length }, (_, position) => value(position)),
    );
  if (name === "attention_mask") return perToken(() => 1);
  if (name === "token_type_ids") return perToken(() => 0);
  if (name === "position_ids") return perToken((position) => position);
  if (name === "use_cache_branch") return fromNumbers(type, [1], [0]);
  if (/^past_key_values|^past_conv|^past\./.test(name) && input.dims !== undefined) {
    // free axes: the batch, and the length of the past, which is nothing
    const dims = input.dims.map((dim, axis) => (isFree(dim) ? (axis === 0 ? 1 : 0) : (dim as number)));
    return fromNumbers(type, dims, new Float64Array(sizeOf(dims)));
  }
  throw new LowbitError("data/shape", `tokens do not tell what to feed: ${describe(input)}`, {
    at: { file, tensor: name },
    hint: "give all inputs by name in an .npz or .jsonl",
  });
}
