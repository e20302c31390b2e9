/**
 * Which elements of a tensor share one scale and zero point.
 *
 * | per     | tensor [A, B], parameters have shape                          |
 * |---------|----------------------------------------------------------------|
 * | tensor  | []                                                             |
 * | channel | [size of the axis]          axis 0 → [A]                       |
 * | group   | shape with axis ÷ size      axis 1, size 32 → [A, ⌈B/32⌉]     |
 * | block   | shape ÷ block               16 × 32 → [⌈A/16⌉, ⌈B/32⌉]         |
 *
 * The last group of an axis may be short, and so may the last blocks. Tokens are channels of axis 0.
 */
import { LowbitError } from "#base/errors";

export type Granularity =
  | { readonly per: "tensor" }
  | { readonly per: "channel"; readonly axis: number }
  | { readonly per: "group"; readonly axis: number; readonly size: number }
  /** Tiles of a matrix. */
  | { readonly per: "block"; readonly shape: readonly [rows: number, columns: number] };

/** Shape of the parameters for a tensor of `shape`. */
export function parameterShape(shape: readonly number[], granularity: Granularity): number[] {
  switch (granularity.per) {
    case "tensor":
      return [];
    case "channel":
      return [shape[checkedAxis(shape, granularity.axis)]];
    case "group": {
      const axis = checkedAxis(shape, granularity.axis);
      if (!Number.isInteger(granularity.size) || granularity.size < 1)
        throw new LowbitError("quant/scheme", `group size ${granularity.size} is not a positive integer`);
      return shape.map((dim, i) => (i === axis ? Math.ceil(dim / granularity.size) : dim));
    }
    case "block": {
      const [rows, columns] = granularity.shape;
      if (shape.length !== 2 || ![rows, columns].every((size) => Number.isInteger(size) && size > 0))
        throw new LowbitError("quant/scheme", `blocks of ${rows} × ${columns} do not tile [${shape.join(", ")}]`, {
          hint: "blocks have a positive number of rows and columns, and tile matrices",
        });
      return [Math.ceil(shape[0] / rows), Math.ceil(shape[1] / columns)];
    }
  }
}

/**
 * Calls `visit` for every run of elements that share a parameter: elements offset, offset + step, … (`count` of them) belong to
 * parameter `index`. A parameter may have several runs. Together the runs cover each element once.
 */
export function forEachRun(
  shape: readonly number[],
  granularity: Granularity,
  visit: (index: number, offset: number, step: number, count: number) => void,
): void {
  const total = shape.reduce((size, dim) => size * dim, 1);
  if (total === 0) return;
  if (granularity.per === "tensor") {
    visit(0, 0, 1, total);
    return;
  }
  if (granularity.per === "block") {
    const [, across] = parameterShape(shape, granularity);
    const [rows, columns] = granularity.shape;
    for (let r = 0; r < shape[0]; r++) {
      const first = Math.floor(r / rows) * across;
      for (let c = 0; c < across; c++)
        visit(first + c, r * shape[1] + c * columns, 1, Math.min(columns, shape[1] - c * columns));
    }
    return;
  }
  const axis = checkedAxis(shape, granularity.axis);
  const length = shape[axis];
  const inner = shape.slice(axis + 1).reduce((size, dim) => size * dim, 1);
  const outer = total / (length * inner);
  if (granularity.per === "channel") {
    for (let o = 0; o < outer; o++) for (let c = 0; c < length; c++) visit(c, (o * length + c) * inner, 1, inner);
    return;
  }
  const { size } = granularity;
  const groups = Math.ceil(length / size);
  for (let o = 0; o < outer; o++) {
    for (let g = 0; g < groups; g++) {
      const count = Math.min(size, length - g * size);
      for (let i = 0; i < inner; i++)
        visit((o * groups + g) * inner + i, (o * length + g * size) * inner + i, inner, count);
    }
  }
}

function checkedAxis(shape: readonly number[], axis: number): number {
  const positive = axis < 0 ? axis + shape.length : axis;
  if (Number.isInteger(positive) && positive >= 0 && positive < shape.length) return positive;
  throw new LowbitError("quant/scheme", `axis ${axis} is outside a tensor of shape [${shape.join(", ")}]`);
}
