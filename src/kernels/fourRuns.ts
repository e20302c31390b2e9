/** Four runs of numbers side by side, one in each lane: for kernels whose sums must be added in the order of the numbers. */
import { func } from "#kernels/assembler/assemble";
import type { FunctionBody, Local } from "#kernels/assembler/func";
import { i32 } from "#kernels/assembler/scalar";
import type { Value } from "#kernels/assembler/value";
import { i8x16, v128 } from "#kernels/assembler/vector";

/** Calls `body` with the offset of each of `run` vectors, which lie one after another. */
export function forEachVector(f: FunctionBody, run: Local<"i32">, body: (offset: Local<"i32">) => void): void {
  const offset = f.local("i32", 0);
  f.doWhile(i32.ltU(offset, i32.shl(run, 4)), () => {
    body(offset);
    f.increase(offset, 16);
  });
}

/** A function that writes four runs, which lie one after another, as `run` vectors of one number of each; a multiple of 4. */
export function transpose() {
  return func({ from: "i32", to: "i32", run: "i32" }, undefined, (f, { from, to, run }) => {
    const [bytes, end] = [f.local("i32", i32.shl(run, 2)), f.local("i32", i32.add(from, i32.shl(run, 2)))];
    const rows = [from, ...[1, 2, 3].map(() => f.local("i32"))];
    rows.forEach((row, k) => k > 0 && f.set(row, i32.add(rows[k - 1], bytes)));
    const vectors = rows.map(() => f.local("v128"));
    const pairs = rows.map(() => f.local("v128"));
    f.while(i32.ltU(from, end), () => {
      vectors.forEach((vector, k) => f.set(vector, v128.load(rows[k])));
      const [a, b, c, d] = vectors;
      f.set(pairs[0], interleave(a, b, 0));
      f.set(pairs[1], interleave(c, d, 0));
      f.set(pairs[2], interleave(a, b, 2));
      f.set(pairs[3], interleave(c, d, 2));
      f.store.v128(to, halves(pairs[0], pairs[1], 0));
      f.store.v128(to, halves(pairs[0], pairs[1], 1), 16);
      f.store.v128(to, halves(pairs[2], pairs[3], 0), 32);
      f.store.v128(to, halves(pairs[2], pairs[3], 1), 48);
      rows.forEach((row) => f.increase(row, 16));
      f.increase(to, 64);
    });
  });
}

/** From lane 0: [p0 q0 p1 q1]; from lane 2: [p2 q2 p3 q3]. */
function interleave(p: Value<"v128">, q: Value<"v128">, lane: 0 | 2): Value<"v128"> {
  const from = [lane, lane + 4, lane + 1, lane + 5];
  return i8x16.shuffle(p, q, ...from.flatMap((k) => [4 * k, 4 * k + 1, 4 * k + 2, 4 * k + 3]));
}

/** Both lower halves, or both upper ones. */
function halves(p: Value<"v128">, q: Value<"v128">, half: 0 | 1): Value<"v128"> {
  return i8x16.shuffle(p, q, ...Array.from({ length: 16 }, (_, i) => 8 * half + i + (i < 8 ? 0 : 8)));
}
