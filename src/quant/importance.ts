import { LowbitError } from "#base/errors";
import type { Matrix } from "#quant/types";

/**
 * How much an error in each element matters, row by row, from what a caller says of the columns or of the elements. Undefined
 * when all matter alike, also when none matters at all. Throws usage/argument for another length, and for a number that is
 * negative or not finite.
 */
export function elementImportance(
  { rows, columns }: Matrix,
  importance: Float32Array | undefined,
): Float32Array | undefined {
  if (importance === undefined) return undefined;
  const count = rows * columns;
  if (importance.length !== columns && importance.length !== count)
    throw new LowbitError("usage/argument", `importance has ${importance.length} values for ${rows} × ${columns}`, {
      hint: `give ${columns}, one a column, or ${count}, one an element`,
    });
  const wrong = importance.findIndex((h) => !(h >= 0 && h < Number.POSITIVE_INFINITY));
  if (wrong >= 0)
    throw new LowbitError("usage/argument", `the importance at index ${wrong} is ${importance[wrong]}`, {
      hint: "importance is finite and not negative: a mean of squares, say",
    });
  if (importance.every((h) => h === 0)) return undefined;
  if (importance.length === count) return importance;
  const out = new Float32Array(count);
  for (let row = 0; row < rows; row++) out.set(importance, row * columns);
  return out;
}
