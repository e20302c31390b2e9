import { hadamardMatrix, hadamardOrder } from "#math/hadamard";
import type { DecoderBody } from "#methods/decoders/decoderBody";
import { unpackCodes } from "#methods/decoders/unpackCodes";
import { elementTypes, float32, tensor } from "#model/tensor";
import type { Rotation } from "#quant/rotation";

/** Orders up to this are one product; larger ones are H ⊗ H', multiplied one after the other. */
const largestFactor = 64;

/**
 * W = W'·(I ⊗ Hᵀ/√n)·diag(signs), for a matrix W' of float32. By doubling, H is a product of small ones (Sylvester): multiplying with
 * each of them takes n·Σ instead of n·Π of their orders, and only they are stored. Signs are a bit a column.
 */
export function unrotate(body: DecoderBody, value: string, { order, signs }: Rotation): string {
  const inner = innermost(order);
  const ones = (size: number): string =>
    body.apply("Cast", [body.constant(tensor("int8", [size, size], hadamardMatrix(size)))], {
      to: elementTypes.float32.code,
    });
  const rows = body.apply("Reshape", [value, body.ints(-1, inner)]);
  let turned = body.apply("MatMul", [rows, body.apply("Transpose", [ones(inner)], { perm: [1, 0] })]);
  for (let done = inner; done < order; ) {
    const size = Math.min(largestFactor, order / done);
    turned = body.apply("MatMul", [ones(size), body.apply("Reshape", [turned, body.ints(-1, size, done)])]);
    done *= size;
  }
  const columns = (): string => body.apply("Slice", [body.shape, body.ints(1), body.ints(2)]);
  const negative = unpackCodes(
    body,
    "signs",
    signs.map((sign) => (sign < 0 ? -1 : 0)),
    { bits: 1, signed: true },
    columns,
  );
  const toFloat = { to: elementTypes.float32.code };
  const unit = body.constant(float32([], [1 / Math.sqrt(order)]));
  const twice = body.constant(float32([], [2 / Math.sqrt(order)]));
  const factors = body.apply("Add", [unit, body.apply("Mul", [body.apply("Cast", [negative], toFloat), twice])]);
  return body.apply("Mul", [body.apply("Reshape", [turned, body.shape]), factors]);
}

/** The innermost factor of H: its core, doubled while it stays small. → 64 for 4096, 48 for 768 */
function innermost(order: number): number {
  let factor = order;
  while (factor > largestFactor && factor % 2 === 0 && hadamardOrder(factor / 2) === factor / 2) factor /= 2;
  return factor;
}
