import { createRng, type Rng, seedFor } from "#base/rng";
import { isFree } from "#data/matchInput";
import type { Dataset, ModelInput } from "#data/types";
import { normal } from "#math/normal";
import { fromNumbers, sizeOf, type Tensor } from "#model/tensor";

export interface RandomOptions {
  readonly seed: number;
  readonly samples: number;
  /** Sizes of symbolic dims by name. Default 1. */
  readonly dims?: Readonly<Record<string, number>>;
  /** By input: what its whole numbers stay below. Default 2. */
  readonly below?: Readonly<Record<string, number>>;
}

/**
 * Made-up inputs of the model's shapes, to time a model or to see that it runs. Floats are standard normal; whole numbers and bools
 * are 0 or 1, which every embedding and mask takes, unless told otherwise. They say nothing about accuracy: ranges calibrated on noise are wrong ranges.
 */
export function randomData(
  inputs: readonly ModelInput[],
  { seed, samples, dims = {}, below = {} }: RandomOptions,
): Dataset {
  return {
    name: "random",
    kind: "random",
    length: samples,
    labelled: false,
    diagnostics: [
      {
        code: "data/random",
        level: "warning",
        message:
          "the samples are random numbers: speed and agreement mean something on them, accuracy and ranges do not",
        hint: "give real samples with --data",
      },
    ],
    async sample(index) {
      const rng = createRng(seedFor(seed, String(index)));
      const tensors = inputs.map((input): [string, Tensor] => [
        input.name,
        randomTensor(input, rng, dims, below[input.name]),
      ]);
      return { inputs: Object.fromEntries(tensors), id: `random#${index}` };
    },
  };
}

function randomTensor(input: ModelInput, rng: Rng, sizes: Readonly<Record<string, number>>, below = 2): Tensor {
  const dims = (input.dims ?? [1]).map((dim) => {
    if (typeof dim === "string" && Object.hasOwn(sizes, dim)) return sizes[dim];
    return isFree(dim) ? 1 : (dim as number);
  });
  const isFloat = /float/.test(input.type);
  return fromNumbers(
    input.type,
    dims,
    Array.from({ length: sizeOf(dims) }, () => (isFloat ? normal(rng) : rng.below(below))),
  );
}
