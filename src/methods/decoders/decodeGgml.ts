/**
 * Blocks of ggml as they lie in a GGUF file, byte for byte, decoded by standard operators: x = d·s·(q − z), or d·s·q − m. What is
 * exact there is exact here, and what is rounded is rounded once: results are the reference's, bit for bit.
 */
import type { DecoderBody } from "#methods/decoders/decoderBody";
import { GgmlBlocks } from "#methods/decoders/ggmlBlocks";
import { elementTypes, float32, type Tensor, tensor } from "#model/tensor";
import { type GgmlTypeName, ggmlTypes } from "#quant/ggml/index";
import type { QTensor } from "#quant/qtensor";

export function decodeGgml(body: DecoderBody, { codes, rows, columns }: QTensor, type: GgmlTypeName): string {
  const bytes = new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
  const plain = numbersOf(type, bytes, [rows, columns]);
  if (plain !== undefined) {
    const value = body.input("codes", plain);
    return body.apply("Cast", [value], { to: elementTypes.float32.code });
  }
  const blocks = new GgmlBlocks(body, bytes, ggmlTypes[type].bytes);
  return body.apply("Reshape", [decoders[type as BlockType](blocks), body.shape]);
}

type FloatType = "f32" | "f16" | "bf16";
type BlockType = Exclude<GgmlTypeName, FloatType>;

/** Floats are no blocks: ONNX has them as types. */
function numbersOf(type: GgmlTypeName, bytes: Uint8Array, dims: readonly number[]): Tensor | undefined {
  const element = { f32: "float32", f16: "float16", bf16: "bfloat16" } as const;
  const found = element[type as FloatType];
  if (found === undefined) return undefined;
  const own = bytes.slice(); // aligned
  return tensor(found, dims, new (elementTypes[found].array as Uint16ArrayConstructor)(own.buffer));
}

/** Levels of IQ4. */
const levels = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
/** Of float4e2m1, doubled. */
const doubled = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

const decoders: Readonly<Record<BlockType, (b: GgmlBlocks) => string>> = {
  q4_0: (b) => product(b, b.half(0), b.centred(b.codes(2, 16, 4, 16), 8, 1)),
  q4_1: (b) => plus(b, product(b, b.half(0), b.centred(b.codes(4, 16, 4, 16), 0, 1)), b.half(2)),
  q5_0: (b) => product(b, b.half(0), b.centred(fiveBits(b, 2), 16, 1)),
  q5_1: (b) => plus(b, product(b, b.half(0), b.centred(fiveBits(b, 4), 0, 1)), b.half(2)),
  q8_0: (b) => product(b, b.half(0), b.centred(b.signedBytes(2, 32), 0, 1)),
  q8_1: (b) => product(b, b.half(0), b.centred(b.signedBytes(4, 32), 0, 1)),
  q8_k: (b) => product(b, b.single(0), b.centred(b.signedBytes(4, 256), 0, 1)),
  q2_k: (b) => {
    const pairs = b.body.apply("Reshape", [b.codes(0, 16, 4, 1), b.body.ints(0, 16, 2)]);
    const [scales, minima] = [0, 1].map((k) => b.body.apply("Gather", [pairs, b.body.scalar(k)], { axis: 2 }));
    const codes = b.centred(b.codes(16, 64, 2, 32), 0, 16);
    return minus(b, product(b, scaled(b, b.half(80), scales, 0, 16), codes), scaled(b, b.half(82), minima, 0, 16));
  },
  q3_k: (b) => {
    const codes = b.sum([
      [b.codes(32, 64, 2, 32), 1],
      [b.codes(0, 32, 1, 32), 4],
    ]);
    const scales = b.sum([
      [b.codes(96, 8, 4, 8), 1],
      [b.codes(104, 4, 2, 4), 16],
    ]);
    return product(b, scaled(b, b.half(108), scales, 32, 16), b.centred(codes, 4, 16));
  },
  q4_k: (b) => withSixBitScales(b, b.codes(16, 128, 4, 32)),
  q5_k: (b) =>
    withSixBitScales(
      b,
      b.sum([
        [b.codes(48, 128, 4, 32), 1],
        [b.codes(16, 32, 1, 32), 16],
      ]),
    ),
  q6_k: (b) => {
    const codes = b.sum([
      [b.codes(0, 128, 4, 64), 1],
      [b.codes(128, 64, 2, 32), 16],
    ]);
    return product(b, scaled(b, b.half(208), b.signedBytes(192, 16), 0, 16), b.centred(codes, 32, 16));
  },
  iq4_nl: (b) => product(b, b.half(0), listed(b, levels, b.codes(2, 16, 4, 16), 1)),
  iq4_xs: (b) => {
    const scales = b.sum([
      [b.codes(4, 4, 4, 1), 1],
      [b.codes(2, 2, 2, 1), 16],
    ]);
    return product(b, scaled(b, b.half(0), scales, 32, 8), listed(b, levels, b.codes(8, 128, 4, 16), 8));
  },
  tq1_0: (b) => {
    const parts = [b.trits(0, 32, 5, 32), b.trits(32, 16, 5, 16), b.trits(48, 4, 4, 4)];
    return product(b, b.half(52), b.centred(b.body.apply("Concat", parts, { axis: 1 }), 1, 1));
  },
  tq2_0: (b) => product(b, b.half(64), b.centred(b.codes(0, 64, 2, 32), 1, 1)),
  mxfp4: (b) => {
    const units = Array.from({ length: 256 }, (_, e) => 2 ** (e - 128));
    return product(b, listed(b, units, b.bytes(0, 1), 1), listed(b, doubled, b.codes(1, 16, 4, 16), 1));
  },
};

/** Factors [blocks, groups or 1] or [blocks, groups, 1] times [blocks, groups, elements]. */
function product({ body }: GgmlBlocks, factor: string, values: string): string {
  return body.apply("Mul", [body.apply("Reshape", [factor, body.ints(0, -1, 1)]), values]);
}

function plus({ body }: GgmlBlocks, values: string, minimum: string): string {
  return body.apply("Add", [values, body.apply("Reshape", [minimum, body.ints(0, -1, 1)])]);
}

function minus({ body }: GgmlBlocks, values: string, minima: string): string {
  return body.apply("Sub", [values, minima]);
}

/** d · (code − zero), [blocks, groups, 1]. */
function scaled(b: GgmlBlocks, d: string, codes: string, zero: number, groups: number): string {
  return product(b, d, b.centred(codes, zero, groups));
}

/** What codes are called in a list, [blocks, groups, elements]. */
function listed({ body }: GgmlBlocks, list: readonly number[], codes: string, groups: number): string {
  const table = body.constant(float32([list.length], [...list]));
  return body.apply("Reshape", [body.apply("Gather", [table, codes]), body.ints(0, groups, -1)]);
}

/** 4 bytes of fifth bits, 16 bytes of nibbles. */
function fiveBits(b: GgmlBlocks, from: number): string {
  return b.sum([
    [b.codes(from + 4, 16, 4, 16), 1],
    [b.codes(from, 4, 1, 1), 16],
  ]);
}

/**
 * d and dmin, and 12 bytes of scales and minima of 6 bits: those of the first four groups in the low 6 bits of bytes 0–3 and 4–7; of
 * the others four bits in bytes 8–11 and two on top of the former. x = d·s·q − dmin·m.
 */
function withSixBitScales(b: GgmlBlocks, codes: string): string {
  const { body } = b;
  const step = body.constant(tensor("int32", [], Int32Array.of(64)));
  const halves = b.codes(12, 4, 4, 4); // scales', then minima's
  const six = (from: number, half: number): string => {
    const bytes = b.bytes(from, 4);
    const low = body.apply("Slice", [halves, body.ints(half), body.ints(half + 4), body.ints(1)]);
    const others = b.sum([
      [low, 1],
      [body.apply("Div", [bytes, step]), 16],
    ]);
    return body.apply("Concat", [body.apply("Mod", [bytes, step]), others], { axis: 1 });
  };
  const scales = scaled(b, b.half(0), six(4, 0), 0, 8);
  return minus(b, product(b, scales, b.centred(codes, 0, 8)), scaled(b, b.half(2), six(8, 4), 0, 8));
}
