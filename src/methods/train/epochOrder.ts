import { createRng, seedFor } from "#base/rng";

/**
 * The order of the samples in an epoch: a permutation of 0 … length − 1 (Fisher & Yates). It follows from seed and epoch alone, so that
 * a training that is resumed needs no memory of what was drawn before.
 */
export function epochOrder(length: number, seed: number, epoch: number): Uint32Array {
  const rng = createRng(seedFor(seed, `epoch ${epoch}`));
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
