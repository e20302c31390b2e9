/** The four numbers of a vector among themselves. */
import type { FunctionBody, Local } from "#kernels/assembler/func";
import type { Value } from "#kernels/assembler/value";
import { i8x16 } from "#kernels/assembler/vector";

/** Folds vectors and then lanes, until every lane of the first vector holds what all numbers fold to. */
export function foldLanes(
  f: FunctionBody,
  [first, ...others]: readonly Local<"v128">[],
  fold: (a: Value<"v128">, b: Value<"v128">) => Value<"v128">,
): void {
  for (const other of others) f.set(first, fold(first, other));
  f.set(first, fold(first, swapHalves(first)));
  f.set(first, fold(first, swapNeighbours(first)));
}

/** [a, b, c, d] → [c, d, a, b]. */
function swapHalves(v: Value<"v128">): Value<"v128"> {
  return i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
}

/** [a, b, c, d] → [b, a, d, c]. */
function swapNeighbours(v: Value<"v128">): Value<"v128"> {
  return i8x16.shuffle(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
}
