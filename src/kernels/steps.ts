import type { FunctionBody, Local } from "#kernels/assembler/func";
import { i32 } from "#kernels/assembler/scalar";

/**
 * Writes a loop over `count` numbers, `step` at a time; `body` is told the index of the first of them. `count` is at least `step`.
 * Where it is no multiple, the last step goes back to end with the last number: some numbers are done twice, so doing them
 * twice must not matter, and no kernel has a second, slower loop for what is left.
 */
export function forEachStep(
  f: FunctionBody,
  count: Local<"i32">,
  step: number,
  body: (index: Local<"i32">) => void,
): void {
  const index = f.local("i32", 0);
  const last = f.local("i32", i32.sub(count, step));
  const next = f.local("i32");
  f.block((out) => {
    f.loop((again) => {
      body(index);
      f.branchIf(out, i32.eq(index, last));
      f.set(next, i32.add(index, step));
      f.set(index, i32.select(next, last, i32.ltU(next, last)));
      f.branch(again);
    });
  });
}

/** Address of number `index` of an array of numbers of `width` bytes. */
export function at(array: Local<"i32">, index: Local<"i32">, width: 1 | 2 | 4) {
  return width === 1 ? i32.add(array, index) : i32.add(array, i32.shl(index, width / 2));
}
