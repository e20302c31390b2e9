import { decodeAffine } from "#quant/affine";
import type { Codebook, Lookup } from "#quant/decoding";
import { decodeGgml } from "#quant/ggml/codec";
import { forEachRun } from "#quant/granularity";
import type { QTensor } from "#quant/qtensor";
import { unrotate } from "#quant/rotation";
import { applyScales } from "#quant/scales";

/** The numbers that a quantized matrix stands for, row by row. What every file, kernel and runtime has to agree with. */
export function dequantize(q: QTensor): Float32Array {
  const decoded = decode(q);
  return q.rotation === undefined ? decoded : unrotate(decoded, q.rotation);
}

function decode({ codes, rows, columns, decoding }: QTensor): Float32Array {
  switch (decoding.kind) {
    case "affine":
      return decodeAffine(codes, [rows, columns], decoding);
    case "lookup":
      return decodeLookup(codes, [rows, columns], decoding);
    case "codebook":
      return decodeCodebook(codes, rows, columns, decoding);
    case "ggml":
      return decodeGgml(decoding.type, new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength));
  }
}

function decodeLookup(
  codes: ArrayLike<number>,
  shape: readonly [number, number],
  { tables, entries, tableGranularity, scale }: Lookup,
): Float32Array {
  const out = new Float32Array(codes.length);
  forEachRun(shape, tableGranularity, (index, offset, step, count) => {
    const first = index * entries;
    for (let k = 0, i = offset; k < count; k++, i += step) out[i] = tables[first + codes[i]];
  });
  return applyScales(out, shape, scale);
}

function decodeCodebook(
  codes: ArrayLike<number>,
  rows: number,
  columns: number,
  { length, stages, scale }: Codebook,
): Float32Array {
  const out = new Float32Array(rows * columns);
  const perRow = columns / length;
  stages.forEach(({ books, entries, values }, stage) => {
    const perBook = perRow / books;
    for (let r = 0; r < rows; r++) {
      for (let v = 0; v < perRow; v++) {
        const code = codes[(stage * rows + r) * perRow + v];
        const from = (Math.floor(v / perBook) * entries + code) * length;
        const to = r * columns + v * length;
        for (let i = 0; i < length; i++) out[to + i] += values[from + i];
      }
    }
  });
  return applyScales(out, [rows, columns], scale);
}
