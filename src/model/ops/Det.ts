import { LowbitError } from "#base/errors";
import { inputOf } from "#model/ops/known";
import { dimsOf, operand, placeOf } from "#model/ops/operand";
import type { Op } from "#model/ops/types";
import { fromNumbers, sizeOf, toNumbers } from "#model/tensor";

/**
 * Determinants of the square matrices in the last two axes, by Gaussian elimination with pivoting. Cost: M³/3 per
 * matrix.
 */
export const Det: Op = {
  domain: "",
  name: "Det",
  infer: (context) => [{ element: inputOf(context, 0).element, shape: inputOf(context, 0).shape?.slice(0, -2) }],
  cost: (_, [x]) => {
    const size = dimsOf(x).at(-1) ?? 1;
    return { macs: (sizeOf(dimsOf(x)) * size) / 3, flops: 0 };
  },
  forward: (context) => {
    const x = operand(context, 0);
    const [rows, columns] = x.dims.slice(-2);
    if (rows === undefined || rows !== columns)
      throw new LowbitError("model/shape", `Det of [${x.dims.join(", ")}]`, { at: placeOf(context.node) });
    const values = Float64Array.from(toNumbers(x));
    const dims = x.dims.slice(0, -2);
    const results = Float64Array.from({ length: sizeOf(dims) }, (_, i) =>
      determinant(values.subarray(i * rows * rows, (i + 1) * rows * rows), rows),
    );
    return [fromNumbers(x.type, dims, results)];
  },
};

/** Overwrites `a`: [n, n]. */
function determinant(a: Float64Array, n: number): number {
  let product = 1;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]) > Math.abs(a[pivot * n + k])) pivot = i;
    if (a[pivot * n + k] === 0) return 0;
    if (pivot !== k) {
      for (let j = k; j < n; j++) [a[k * n + j], a[pivot * n + j]] = [a[pivot * n + j], a[k * n + j]];
      product = -product;
    }
    product *= a[k * n + k];
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k] / a[k * n + k];
      for (let j = k; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return product;
}
