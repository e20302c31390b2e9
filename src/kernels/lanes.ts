/** Moving the four numbers of a vector about. */
import type { Value } from "#kernels/assembler/value";
import { i8x16 } from "#kernels/assembler/vector";

/** [a, b, c, d] → [c, d, a, b]. */
export function swapHalves(v: Value<"v128">): Value<"v128"> {
  return i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
}

/** [a, b, c, d] → [b, a, d, c]. */
export function swapNeighbours(v: Value<"v128">): Value<"v128"> {
  return i8x16.shuffle(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
}
