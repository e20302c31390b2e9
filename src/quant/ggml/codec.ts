/** Rows of float32 ↔ rows of blocks. */
import { type GgmlTypeName, ggmlTypes } from "#quant/ggml/index";
import { sumOfSquares } from "#quant/ggml/sums";
import type { GgmlType, Importance } from "#quant/ggml/types";

const { fround } = Math;

/**
 * The blocks of a matrix, row by row. x: [rows, columns], columns a multiple of the type's elements. `importance`, as long as x,
 * says how much an error in each element matters: the types that search for their scales then search for weighted errors, the
 * others (floats, Q8, ternary, MXFP4) have nothing to choose and leave it, as llama.cpp does.
 */
export function encodeGgml(
  name: GgmlTypeName,
  x: Float32Array,
  columns: number,
  importance?: Float32Array,
): Uint8Array<ArrayBuffer> {
  const { elements, bytes, encode, encodeAll }: GgmlType = ggmlTypes[name];
  const out = new Uint8Array((x.length / elements) * bytes);
  if (importance === undefined && encodeAll !== undefined) {
    encodeAll(x, out);
    return out;
  }
  let to = 0;
  for (let row = 0; row < x.length; row += columns) {
    const weighted: Importance | undefined =
      importance === undefined
        ? undefined
        : { values: importance, rowMeanSquare: fround(sumOfSquares(x, row, columns) / fround(columns)) };
    for (let from = row; from < row + columns; from += elements, to += bytes) encode(x, from, out, to, weighted);
  }
  return out;
}

/** The numbers that whole blocks stand for. */
export function decodeGgml(name: GgmlTypeName, blocks: Uint8Array): Float32Array<ArrayBuffer> {
  const { elements, bytes, decode }: GgmlType = ggmlTypes[name];
  const out = new Float32Array((blocks.length / bytes) * elements);
  for (let from = 0, to = 0; from < blocks.length; from += bytes, to += elements) decode(blocks, from, out, to);
  return out;
}
