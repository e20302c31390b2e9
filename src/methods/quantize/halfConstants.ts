/** Constants in half precision: what is lost, and the one case where nearest is not best. */
import { fromNumbers, type Tensor } from "#model/tensor";

/** Magnitudes from here on have no nearest half but infinity: 65,504 + half a step. */
const overflow = 65_520;
/** Magnitudes up to here are nearer to 0 than to the least half, 2⁻²⁴. */
const underflow = 2 ** -25;

/** How many numbers half precision cannot hold. */
export interface HalfLoss {
  /** Finite, beyond ±65,504: they become that. */
  readonly saturated: number;
  /** Not 0, but nearest to it. */
  readonly vanished: number;
}

export function halfLoss(values: ArrayLike<number>): HalfLoss {
  let saturated = 0;
  let vanished = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]);
    if (magnitude >= overflow && magnitude < Number.POSITIVE_INFINITY) saturated++;
    else if (magnitude <= underflow && magnitude > 0) vanished++;
  }
  return { saturated, vanished };
}

/**
 * Nearest halves; finite numbers stay finite. A single number that is not 0 does not become 0 either: it may be the ε that keeps a
 * division from 0.
 */
export function halfTensor(dims: readonly number[], values: ArrayLike<number>): Tensor {
  const result = fromNumbers("float16", dims, values);
  const codes = result.data as Uint16Array;
  for (let i = 0; i < codes.length; i++) {
    const x = values[i];
    if ((codes[i] & 0x7fff) === 0x7c00 && Number.isFinite(x)) codes[i]--; // the greatest half is one code below infinity
  }
  if (codes.length === 1 && (codes[0] & 0x7fff) === 0 && values[0] !== 0) codes[0] |= 1;
  return result;
}
