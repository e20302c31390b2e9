/**
 * Codes of 1 to 16 bits as they lie in a file: without gaps, lowest bits first, the last byte filled with zeros. ONNX's own types hold
 * 8 and 16 bits, and 4 and 2 where the operator set has them (21, 25), in the same bytes; all others are uint8 that standard operators
 * take apart. Runtimes do that once, when the model is loaded.
 */
import { packBits, signExtend } from "#math/packing";
import type { DecoderBody } from "#methods/decoders/decoderBody";
import { type ElementType, elementTypes, float32, fromNumbers, type Tensor, tensor } from "#model/tensor";

export interface CodeWidth {
  readonly bits: number;
  /** Two's complement. */
  readonly signed: boolean;
}

/** Declares codes as an input, and turns them into int32 of dims [`count`]; `count` names an int64 of dims [1]. */
export function unpackCodes(
  body: DecoderBody,
  name: string,
  codes: ArrayLike<number>,
  { bits, signed }: CodeWidth,
  count: () => string,
): string {
  const toInt32 = (value: string): string => body.apply("Cast", [value], { to: elementTypes.int32.code });
  const element = nativeType(bits, signed, body.opset);
  if (element !== undefined) return toInt32(body.input(name, asTensor(element, codes)));
  const packed = packBits(codes, bits);
  const bytes = toInt32(body.input(name, tensor("uint8", [packed.length], packed)));
  const padded = 8 % bits === 0 ? wholeCodes(body, bytes, bits, signed) : joinedBits(body, bytes, bits, signed);
  const flat = body.apply("Reshape", [padded, body.ints(-1)]);
  return body.apply("Slice", [flat, body.ints(0), count()]);
}

/** ONNX's type for codes of that width, where the operator set has one that Cast takes. */
function nativeType(bits: number, signed: boolean, opset: number): ElementType | undefined {
  const since = { 2: 25, 4: 21, 8: 1, 16: 1 }[bits];
  return since === undefined || opset < since ? undefined : (`${signed ? "int" : "uint"}${bits}` as ElementType);
}

/** Several codes a byte: each byte is looked up in a table of what it holds. */
function wholeCodes(body: DecoderBody, bytes: string, bits: number, signed: boolean): string {
  const perByte = 8 / bits;
  const table = Array.from({ length: 256 * perByte }, (_, i) => {
    const code = (Math.floor(i / perByte) >> ((i % perByte) * bits)) & (2 ** bits - 1);
    return signed ? signExtend(code, bits) : code;
  });
  return body.apply("Gather", [body.constant(fromNumbers("int32", [256, perByte], table)), bytes]);
}

/** Codes that straddle bytes: Σ bit · 2ᵏ, the sign's bit counting negative. */
function joinedBits(body: DecoderBody, bytes: string, bits: number, signed: boolean): string {
  const place = Array.from({ length: bits }, (_, k) => (signed && k === bits - 1 ? -(2 ** k) : 2 ** k));
  const table = Array.from({ length: 256 * 8 }, (_, i) => (Math.floor(i / 8) >> (i % 8)) & 1);
  const each = body.apply("Gather", [body.constant(fromNumbers("uint8", [256, 8], table)), bytes]);
  // the bits of a code side by side: codes that a last byte does not complete are cut off
  const whole = body.apply("Reshape", [each, body.ints(-1)]);
  const total = body.apply("Shape", [whole]);
  const used = body.apply("Sub", [total, body.apply("Mod", [total, body.ints(bits)])]);
  const rows = body.apply("Reshape", [body.apply("Slice", [whole, body.ints(0), used]), body.ints(-1, bits)]);
  if (bits < 8) return body.apply("MatMulInteger", [rows, body.constant(fromNumbers("int8", [bits, 1], place))]);
  const floats = body.apply("Cast", [rows], { to: elementTypes.float32.code });
  const sums = body.apply("MatMul", [floats, body.constant(float32([bits, 1], place))]);
  return body.apply("Cast", [sums], { to: elementTypes.int32.code });
}

function asTensor(type: ElementType, codes: ArrayLike<number>): Tensor {
  const { array } = elementTypes[type];
  return tensor(type, [codes.length], new (array as Int8ArrayConstructor)(codes));
}
