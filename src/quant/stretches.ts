import { forEachRun, type Granularity, parameterShape } from "#quant/granularity";

/**
 * Neighbours in memory whose parameters follow one another, as kernels take them: of `length` elements from `first` on, element i
 * belongs to parameter `parameter` + ⌊i / run⌋ modulo `parameters`.
 */
export interface Stretch {
  readonly first: number;
  readonly length: number;
  readonly run: number;
  readonly parameter: number;
  readonly parameters: number;
}

/** Cuts a tensor into stretches, as few as there are. Together they say what `forEachRun` says. */
export function stretches(shape: readonly number[], granularity: Granularity): Stretch[] {
  const length = shape.reduce((size, dim) => size * dim, 1);
  if (length === 0) return [];
  if (granularity.per === "tensor") return [{ first: 0, length, run: length, parameter: 0, parameters: 1 }];
  const found: Stretch[] = [];
  let last: { first: number; length: number; run: number; parameter: number; parameters: number } | undefined;
  if (granularity.per === "channel") {
    const [parameters] = parameterShape(shape, granularity);
    const axis = granularity.axis < 0 ? granularity.axis + shape.length : granularity.axis;
    const run = shape.slice(axis + 1).reduce((size, dim) => size * dim, 1);
    return [{ first: 0, length, run, parameter: 0, parameters }];
  }
  forEachRun(shape, granularity, (parameter, offset, step, count) => {
    // runs whose elements lie apart are columns beside one another: the first of them stands for all
    if (step > 1) {
      if (last === undefined || offset >= last.first + last.length)
        found.push((last = { first: offset, length: count * step, run: 1, parameter, parameters: step }));
      return;
    }
    const follows = last !== undefined && last.run === count && parameter === last.parameter + last.parameters;
    if (last !== undefined && follows && offset === last.first + last.length) {
      last.length += count;
      last.parameters++;
    } else found.push((last = { first: offset, length: count, run: count, parameter, parameters: 1 }));
  });
  return found;
}
