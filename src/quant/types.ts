/** What a quantizer is. Each has a folder in quantizers/ and a line in its index. */
import type { Rng } from "#base/rng";
import type { Matrix } from "#quant/matrix";
import type { QTensor } from "#quant/qtensor";

export type { Matrix } from "#quant/matrix";

export interface QuantizeOptions {
  /** How much an error in each column matters (mean square of what it is multiplied with), or in each element. Default: all alike. */
  readonly importance?: Float32Array;
  /** For quantizers that draw lots; seeded by (seed, tensor name). */
  readonly rng: Rng;
}

/** A scheme as it is written, taken apart: `pq:8x256/groups:4` is name "pq", argument "8x256" and one flag. */
export interface SchemeText {
  /** The whole. */
  readonly text: string;
  readonly name: string;
  /** What follows the name's colon; "" without. */
  readonly argument: string;
  /** In order; a flag without a colon has the value "". */
  readonly flags: readonly (readonly [word: string, value: string])[];
}

/**
 * A way to turn numbers into codes. `S` is what its schemes say, as plain data.
 *
 * Laws hold for every one of them, over its `examples`: `quantize` refuses NaN and infinities (quant/non-finite), is
 * deterministic for a seed, takes empty and constant matrices, and its tensors decode to finite numbers.
 */
export interface Quantizer<S = unknown> {
  /** Key in the registry and name of its folder and its page in docs/quantizers/. */
  readonly name: string;
  /** A sentence a newcomer understands. */
  readonly title: string;
  /** Where it comes from: papers, specifications. */
  readonly sources: readonly string[];
  /** Schemes it reads, one of each kind that differs: for menus, help, laws and rate–distortion charts. */
  readonly examples: readonly string[];
  /** Undefined when the name is not one of its own. Throws usage/scheme for one of its own with wrong arguments or flags. */
  parse(text: SchemeText): S | undefined;
  /** The shortest text that reads back to the same scheme. */
  text(scheme: S): string;
  /** Bits of a code per weight, without what is shared. → 4 for kmeans:16 */
  nominalBits(scheme: S): number;
  /** Why matrices of so many rows and columns cannot have this scheme, and what could; undefined where they can. Absent: all can. */
  unfit?(rows: number, columns: number, scheme: S): string | undefined;
  /** Throws quant/non-finite, and quant/scheme for what does not fit this matrix, saying what would. */
  quantize(x: Matrix, scheme: S, options: QuantizeOptions): QTensor;
}

/** Keeps a quantizer's scheme type inside its folder: the registry holds all of them as one type. */
export function quantizer<S>(definition: Quantizer<S>): Quantizer {
  return definition;
}
