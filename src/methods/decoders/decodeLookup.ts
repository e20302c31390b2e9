import type { DecoderBody } from "#methods/decoders/decoderBody";
import { applyScales, parameterDims, spread } from "#methods/decoders/sharedNumbers";
import { unpackCodes } from "#methods/decoders/unpackCodes";
import { type ElementType, elementTypes, float32, minifloats, tensor, toNumbers } from "#model/tensor";
import type { Lookup } from "#quant/decoding";
import type { QTensor } from "#quant/qtensor";

/** x̂ = table[code] · scale. Codes of a standard float are stored as that type, where the operator set has it: it is the table. */
export function decodeLookup(body: DecoderBody, { codes, rows, columns }: QTensor, decoding: Lookup): string {
  const matrix = [rows, columns] as const;
  const native = nativeFloat(codes, decoding, body.opset);
  const table =
    native === undefined
      ? lookedUp(body, codes, matrix, decoding)
      : body.apply(
          "Cast",
          [
            body.input(
              "codes",
              tensor(native, matrix, new (elementTypes[native].array as Uint16ArrayConstructor)(codes)),
            ),
          ],
          {
            to: elementTypes.float32.code,
          },
        );
  return applyScales(body, table, decoding.scale, matrix);
}

function lookedUp(
  body: DecoderBody,
  codes: ArrayLike<number>,
  matrix: readonly [number, number],
  { bits, tables, entries, tableGranularity, dtype }: Lookup,
): string {
  const flat = unpackCodes(body, "codes", codes, { bits, signed: false }, () => body.count);
  const indices = body.apply("Reshape", [flat, body.shape]);
  if (tables.length === entries) {
    const table = float32([entries], tables);
    // a standard's table is the function's, a fitted one the weight's
    return body.apply("Gather", [dtype === undefined ? body.input("table", table) : body.constant(table), indices]);
  }
  // one table after another: a code counts from its table's first entry
  const dims = parameterDims(tableGranularity, matrix);
  const all = body.input("tables", float32([...dims, entries], tables));
  const shape = body.apply("Shape", [all]);
  const first = body.apply("Range", [
    body.scalar(0),
    body.apply("Size", [all]),
    body.apply("Gather", [shape, body.scalar(-1)]),
  ]);
  const perTable = body.apply("Reshape", [first, body.apply("Slice", [shape, body.ints(0), body.ints(-1)])]);
  const place = body.apply("Add", [
    body.apply("Cast", [indices], { to: elementTypes.int64.code }),
    spread(body, perTable, tableGranularity),
  ]);
  return body.apply("Gather", [body.apply("Reshape", [all, body.ints(-1)]), place]);
}

/** The element type whose numbers are the table, where Cast reads it in that operator set. */
function nativeFloat(
  codes: ArrayLike<number>,
  { dtype, tables, entries }: Lookup,
  opset: number,
): ElementType | undefined {
  const element = dtype as ElementType | undefined;
  // ONNX Runtime has no Cast of float4e2m1
  if (element === undefined || minifloats[element] === undefined || element === "float4e2m1") return undefined;
  const { bits, array } = elementTypes[element];
  if ((bits === 8 && opset < 19) || tables.length !== entries) return undefined;
  const every = (array as Uint16ArrayConstructor).from({ length: entries }, (_, code) => code);
  const numbers = toNumbers(tensor(element, [entries], every));
  for (let i = 0; i < codes.length; i++) if (tables[codes[i]] !== Math.fround(numbers[codes[i]])) return undefined;
  return element;
}
