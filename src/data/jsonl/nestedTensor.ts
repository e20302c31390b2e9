import { LowbitError, type Place } from "#base/errors";
import type { Tensor } from "#model/tensor";

/**
 * Nested JSON numbers as a tensor: int64 for `whole`, else float64; true and false are 1 and 0. Throws `data/malformed` for ragged
 * lists, for what is no number, and for a fraction where whole numbers are wanted. → [[1, 2], [3, 4]] → shape [2, 2]
 */
export function nestedTensor(value: unknown, whole: boolean, at: Place): Tensor {
  const fail = (what: string): LowbitError =>
    new LowbitError(
      "data/malformed",
      `${at.file ?? "JSON"}${at.line === undefined ? "" : `, line ${at.line}`}: ${what}`,
      { at },
    );
  const dims: number[] = [];
  for (let level = value; Array.isArray(level); level = level[0]) dims.push(level.length);
  const values: number[] = [];
  const visit = (item: unknown, axis: number): void => {
    if (Array.isArray(item)) {
      if (item.length !== dims[axis])
        throw fail(`lists of ${dims[axis] ?? "no"} and of ${item.length} stand side by side`);
      for (const inner of item) visit(inner, axis + 1);
    } else if (axis !== dims.length) throw fail("a number stands beside a list");
    else if (typeof item === "number" && (!whole || Number.isSafeInteger(item))) values.push(item);
    else if (typeof item === "boolean") values.push(item ? 1 : 0);
    else throw fail(`${JSON.stringify(item)} is no ${whole ? "whole " : ""}number`);
  };
  visit(value, 0);
  return whole
    ? { type: "int64", dims, data: BigInt64Array.from(values, BigInt) }
    : { type: "float64", dims, data: Float64Array.from(values) };
}
