/**
 * Arithmetic of dims that may be numbers, symbols, or unknown (null). Whatever cannot be said for sure is null; a
 * symbol survives only where the result is exactly that symbol.
 */
import type { Dim } from "#model/model";
import { sizeOf } from "#model/tensor";

/** → 2 + 3 = 5, N + 0 = N, N + 1 = null */
export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  return a === 0 ? b : b === 0 ? a : null;
}

/** → 5 − 3 = 2, N − 0 = N, N − N = 0 */
export function subtractDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (b === 0) return a;
  return a !== null && a === b ? 0 : null;
}

/** → 2 · 3 = 6, N · 1 = N, N · 0 = 0 */
export function multiplyDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a * b;
  if (a === 0 || b === 0) return 0;
  return a === 1 ? b : b === 1 ? a : null;
}

/** Division as ONNX divides integers, toward zero. → 7 ÷ 2 = 3, N ÷ 1 = N; by zero: null */
export function divideDims(a: Dim, b: Dim): Dim {
  if (b === 1) return a;
  return typeof a === "number" && typeof b === "number" && b !== 0 ? Math.trunc(a / b) : null;
}

/** The product of all dims. → [2, 3] gives 6, [N, 1] gives N, [N, 2] gives null */
export function productOfDims(dims: readonly Dim[]): Dim {
  return dims.includes(0) ? 0 : dims.reduce<Dim>(multiplyDims, 1);
}

/**
 * What the product of `dims` is divided by the product of `divisors`; equal symbols cancel. → [N, 6] ÷ [N, 2] = 3,
 * [N, 6] ÷ [6] = N. Null where it is not known, not whole, or a division by zero.
 */
export function quotientOfDims(dims: readonly Dim[], divisors: readonly Dim[]): Dim {
  const left = [...dims];
  const rest: Dim[] = [];
  for (const divisor of divisors) {
    const match = typeof divisor === "string" ? left.indexOf(divisor) : -1;
    if (match >= 0) left.splice(match, 1);
    else rest.push(divisor);
  }
  if (!isStatic(rest)) return null;
  const by = sizeOf(rest);
  if (by === 0) return null;
  const numbers = sizeOf(left.filter((dim) => typeof dim === "number"));
  const symbols = left.filter((dim) => typeof dim !== "number");
  const whole = numbers / by;
  return Number.isInteger(whole) ? multiplyDims(whole, productOfDims(symbols)) : null;
}

/**
 * What is known of a dim that two sources describe: a number over a symbol over nothing. Two numbers that differ give
 * null.
 */
export function mergeDims(a: Dim, b: Dim): Dim {
  if (a === b || b === null) return a;
  if (a === null) return b;
  if (typeof a === "number") return typeof b === "number" ? null : a;
  return b;
}

/** Whether every dim is a number. */
export function isStatic(dims: readonly Dim[] | undefined): dims is readonly number[] {
  return dims?.every((dim) => typeof dim === "number") ?? false;
}
