/** What a model says about classes, and how right that is. */
import { type Tensor, toNumbers } from "#model/tensor";

/** A score matrix: one row a question (one for a classifier, one a position for a language model), one column a class. */
export interface Scores {
  readonly values: Float32Array | Float64Array;
  readonly rows: number;
  readonly columns: number;
  /** Columns to skip: the model's classes before the data's first. */
  readonly offset: number;
  readonly stride: number;
}

/** Sums over answers. */
export interface Counts {
  top1: number;
  top5: number;
  nll: number;
}

/** Undefined where the output is no choice among classes: an image, a mask, a single number. */
export function readScores(value: Tensor | undefined, offset: number, positions: boolean): Scores | undefined {
  if (value === undefined || !value.type.startsWith("float")) return undefined;
  const dims = value.dims.filter((dim, axis) => dim !== 1 || axis === 0);
  const columns = positions ? dims.at(-1) : dims[1];
  if (columns === undefined || columns < 2 || (!positions && (value.dims[0] !== 1 || dims.length !== 2)))
    return undefined;
  if (columns <= offset) return undefined;
  return {
    values: toNumbers(value),
    rows: value.data.length / columns,
    columns: columns - offset,
    offset,
    stride: columns,
  };
}

/** The class with the greatest score; of equals the first. */
export function argmax({ values, columns, offset, stride }: Scores, row: number): number {
  const start = row * stride + offset;
  let best = 0;
  for (let c = 1; c < columns; c++) if (values[start + c] > values[start + best]) best = c;
  return best;
}

/** Adds one answer to the counts. Negative log-likelihood is in nats, of the classes that the data knows. */
export function judge({ values, columns, offset, stride }: Scores, row: number, target: number, counts: Counts): void {
  const start = row * stride + offset;
  const own = values[start + target];
  let above = 0;
  let largest = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < columns; c++) {
    const v = values[start + c];
    // ties go to the earlier class, as argmax has it; NaN is never right
    if (v > own || (v === own && c < target)) above++;
    if (v > largest) largest = v;
  }
  if (own - own === 0 && above === 0) counts.top1++;
  if (own - own === 0 && above < 5) counts.top5++;
  let sum = 0;
  if (isDistribution(values, row * stride, stride)) {
    for (let c = 0; c < columns; c++) sum += values[start + c];
    counts.nll += Math.log(sum / own);
    return;
  }
  for (let c = 0; c < columns; c++) sum += Math.exp(values[start + c] - largest);
  counts.nll += Math.log(sum) + largest - own;
}

/** Whether a row went through a softmax already: no value below 0, all together 1. */
function isDistribution(values: Scores["values"], from: number, count: number): boolean {
  let sum = 0;
  for (let i = from; i < from + count; i++) {
    if (!(values[i] >= 0)) return false;
    sum += values[i];
  }
  return Math.abs(sum - 1) < 1e-3;
}
