/**
 * Vector, product and residual quantization are one: stages of codes, each of which names entries of books that stand side by side
 * over the columns. Vector: one stage, one book. Product: one stage. Residual: each stage encodes what those before it left.
 */
import { LowbitError } from "#base/errors";
import type { Rng } from "#base/rng";
import { refuseNonFinite } from "#quant/affine";
import type { CodebookStage } from "#quant/decoding";
import { elementImportance } from "#quant/importance";
import type { QTensor } from "#quant/qtensor";
import { clusterVectors, codesFor, meansOf } from "#quant/quantizers/vector/clusterVectors";
import { misfit, type VectorShape } from "#quant/quantizers/vector/vectorShape";
import { nearestEntries, type Vectors } from "#quant/quantizers/vector/nearestEntries";
import type { Matrix, QuantizeOptions } from "#quant/types";

/** After the last stage, how often each stage is fitted again to what the others leave. */
const refinements = 2;

export function quantizeVectors(x: Matrix, shape: VectorShape, scheme: string, options: QuantizeOptions): QTensor {
  const { values, rows, columns } = x;
  const { length, entries, books, stages } = shape;
  const why = misfit(rows, columns, shape);
  if (why !== undefined) throw new LowbitError("quant/scheme", `${scheme}: ${why}`);
  refuseNonFinite(values);
  const perRow = columns / length;
  const codes = codesFor(entries, stages * rows * perRow);
  const tables = Array.from({ length: stages }, () => new Float32Array(books * entries * length));
  if (values.length > 0) {
    const importance = elementImportance(x, options.importance);
    const width = columns / books;
    for (let book = 0; book < books; book++) {
      const gather = (from: Float32Array): Float32Array => columnsOf(from, rows, columns, book * width, width);
      const vectors = { values: gather(values), importance: importance && gather(importance), length };
      const fitted = fitStages(vectors, entries, stages, options.rng);
      fitted.forEach((stage, s) => {
        tables[s].set(stage.book, book * entries * length);
        for (let r = 0; r < rows; r++) {
          const own = stage.codes.subarray((r * width) / length, ((r + 1) * width) / length);
          codes.set(own, (s * rows + r) * perRow + (book * width) / length);
        }
      });
    }
  }
  const bits = Math.ceil(Math.log2(entries));
  const decodingStages = tables.map((table): CodebookStage => ({ bits, books, entries, values: table }));
  return { scheme, rows, columns, codes, decoding: { kind: "codebook", length, stages: decodingStages, scale: null } };
}

interface FittedStage {
  book: Float32Array;
  readonly codes: ReturnType<typeof codesFor>;
}

function fitStages(vectors: Vectors, entries: number, stages: number, rng: Rng): FittedStage[] {
  const { importance, length } = vectors;
  // what the stages so far leave; the first only reads it, so one stage needs no copy
  const left = stages === 1 ? vectors.values : vectors.values.slice();
  const residual: Vectors = { values: left, importance, length };
  const fitted: FittedStage[] = [];
  for (let s = 0; s < stages; s++) {
    const book = clusterVectors(residual, entries, rng);
    const stage = { book, codes: codesFor(entries, left.length / length) };
    nearestEntries(residual, book, stage.codes);
    fitted.push(stage);
    if (stages > 1) addEntries(left, stage, length, -1);
  }
  if (stages === 1) return fitted;
  for (let round = 0; round < refinements; round++) {
    for (const stage of fitted) {
      addEntries(left, stage, length, 1);
      nearestEntries(residual, stage.book, stage.codes);
      stage.book = meansOf(residual, stage.codes, stage.book);
      addEntries(left, stage, length, -1);
    }
  }
  return fitted;
}

function addEntries(to: Float32Array, { book, codes }: FittedStage, length: number, sign: 1 | -1): void {
  for (let v = 0; v < codes.length; v++) {
    const from = codes[v] * length;
    for (let i = 0; i < length; i++) to[v * length + i] += sign * book[from + i];
  }
}

/** Some columns of a matrix, row by row; itself when they are all. */
function columnsOf(x: Float32Array, rows: number, columns: number, first: number, width: number): Float32Array {
  if (width === columns) return x;
  const out = new Float32Array(rows * width);
  for (let r = 0; r < rows; r++) {
    const from = r * columns + first;
    out.set(x.subarray(from, from + width), r * width);
  }
  return out;
}
