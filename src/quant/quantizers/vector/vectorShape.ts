import { LowbitError } from "#base/errors";
import { positiveInteger } from "#quant/sharing";
import type { SchemeText } from "#quant/types";

/** How codes of vectors are laid out over a matrix. */
export interface VectorShape {
  /** Weights that one code stands for: neighbours of a row. */
  readonly length: number;
  /** Of a book. */
  readonly entries: number;
  /** Groups of columns, each with a book of its own. */
  readonly books: number;
  /** Codes that are added up. */
  readonly stages: number;
}

/** Nearest entries are searched for among all: more would take hours, not minutes. */
const mostEntries = 4096;

/** Takes `8x256` or `8x256x2` apart: length, entries and, if there may be, stages. */
export function readVectorArgument(
  { argument, text }: SchemeText,
  form: "LxK" | "LxKxS",
): { readonly length: number; readonly entries: number; readonly stages: number } {
  const parts = argument.split("x");
  if (parts.length !== form.split("x").length)
    throw new LowbitError("usage/scheme", `"${text}": after the colon comes ${form}`, {
      hint: "L weights a code, K entries, S stages: for example vq:4x256, pq:8x256 or rvq:8x256x2",
    });
  const [length, entries, stages = 1] = parts.map((part) => positiveInteger(part, `each of ${form}`, text));
  if (entries < 2 || entries > mostEntries)
    throw new LowbitError("usage/scheme", `"${text}": a codebook has 2 to ${mostEntries} entries`, {
      hint: "for more bits a weight take shorter vectors, or stages: rvq:8x256x2",
    });
  if (stages > 8) throw new LowbitError("usage/scheme", `"${text}": there are 1 to 8 stages`);
  return { length, entries, stages };
}

/** Why vectors do not tile the columns, or books are larger than what they stand for, and what would fit; undefined where all is well. */
export function misfit(
  rows: number,
  columns: number,
  { length, entries, books }: Omit<VectorShape, "stages">,
): string | undefined {
  if (columns % length !== 0)
    return `vectors of ${length} do not divide ${columns} columns; lengths that do: ${few(divisors(columns))}`;
  const perRow = columns / length;
  if (perRow % books !== 0)
    return `${books} groups do not divide the ${perRow} vectors of a row; numbers that do: ${few(divisors(perRow))}`;
  const sharers = (rows * perRow) / books;
  if (entries <= sharers || rows * columns === 0) return undefined;
  const others = sharers < 2 ? "shorter vectors" : `${sharers} entries and fewer, or shorter vectors,`;
  return `the ${entries} entries of a codebook are more than the ${sharers} vectors that share it; ${others} would fit`;
}

function few(numbers: readonly number[]): string {
  return numbers.length <= 8 ? numbers.join(", ") : `${numbers.slice(0, 8).join(", ")}, …`;
}

/** Ascending. */
export function divisors(n: number): number[] {
  const found: number[] = [];
  for (let d = 1; d <= n; d++) if (n % d === 0) found.push(d);
  return found;
}
