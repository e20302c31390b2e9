import type { DecoderBody } from "#methods/decoders/decoderBody";
import { applyScales } from "#methods/decoders/sharedNumbers";
import { unpackCodes } from "#methods/decoders/unpackCodes";
import { elementTypes, float32 } from "#model/tensor";
import type { Codebook, CodebookStage } from "#quant/decoding";
import type { QTensor } from "#quant/qtensor";

/** x̂ = Σ over stages of book[code]: entries are neighbours in a row. Stages are added in order, as float32. */
export function decodeCodebook(body: DecoderBody, { codes, rows, columns }: QTensor, decoding: Codebook): string {
  const { stages, length, scale } = decoding;
  const perStage = (rows * columns) / length;
  const parts = stages.map((stage, i) => {
    const own = codes.subarray(i * perStage, (i + 1) * perStage);
    return decodeStage(body, stages.length === 1 ? "" : `_${i + 1}`, own, stage, length);
  });
  const sum = parts.reduce((left, right) => body.apply("Add", [left, right]));
  return applyScales(body, sum, scale, [rows, columns]);
}

function decodeStage(
  body: DecoderBody,
  suffix: string,
  codes: ArrayLike<number>,
  { bits, books, entries, values }: CodebookStage,
  length: number,
): string {
  const count = (): string => body.apply("Div", [body.count, body.ints(length)]);
  const flat = unpackCodes(body, `codes${suffix}`, codes, { bits, signed: false }, count);
  const all = body.input(`book${suffix}`, float32(books === 1 ? [entries, length] : [books, entries, length], values));
  if (books === 1) return body.apply("Reshape", [body.apply("Gather", [all, flat]), body.shape]);
  // books stand side by side in a row: [rows, books, vectors of a book], and a code counts from its book's first entry
  const shape = body.apply("Shape", [all]);
  const from = (start: number, end: number): string => body.apply("Slice", [shape, body.ints(start), body.ints(end)]);
  const rows = body.apply("Slice", [body.shape, body.ints(0), body.ints(1)]);
  const across = body.apply("Concat", [rows, from(0, 1), body.ints(-1)], { axis: 0 });
  const indices = body.apply("Cast", [body.apply("Reshape", [flat, across])], { to: elementTypes.int64.code });
  const number = body.range(body.apply("Gather", [shape, body.scalar(0)]));
  const first = body.apply("Reshape", [body.apply("Mul", [number, from(1, 2)]), body.ints(-1, 1)]);
  const entriesOf = body.apply("Reshape", [all, body.ints(-1, length)]);
  return body.apply("Reshape", [body.apply("Gather", [entriesOf, body.apply("Add", [indices, first])]), body.shape]);
}
