import type { DecoderBody } from "#methods/decoders/decoderBody";
import { sharedIntegers, sharedNumbers } from "#methods/decoders/sharedNumbers";
import { unpackCodes } from "#methods/decoders/unpackCodes";
import { elementTypes } from "#model/tensor";
import type { Affine } from "#quant/affine";
import { dtype } from "#quant/dtype";
import type { QTensor } from "#quant/qtensor";

/** x̂ = (code − zero point) · scale. */
export function decodeAffine(body: DecoderBody, { codes, rows, columns }: QTensor, decoding: Affine): string {
  const { granularity, scale, zeroPoint, storedScale } = decoding;
  const width = dtype(decoding.dtype);
  const matrix = [rows, columns] as const;
  const toFloat = (value: string): string => body.apply("Cast", [value], { to: elementTypes.float32.code });
  let value = toFloat(body.apply("Reshape", [unpackCodes(body, "codes", codes, width, () => body.count), body.shape]));
  if (zeroPoint !== null) {
    const zero = sharedIntegers(body, "zero_point", zeroPoint, width, granularity, matrix);
    value = body.apply("Sub", [value, toFloat(zero)]);
  }
  return body.apply("Mul", [
    value,
    sharedNumbers(body, "scale", storedScale ?? { granularity, values: scale }, matrix),
  ]);
}
