import type { DecoderBody } from "#methods/decoders/decoderBody";
import { type ElementType, elementTypes, float32, fromNumbers, tensor } from "#model/tensor";

/** The bytes of ggml blocks, [blocks, bytes of a block], and what operators read from them: int32 or float32, [blocks, …]. */
export class GgmlBlocks {
  readonly body: DecoderBody;
  readonly #bytes: string;

  constructor(body: DecoderBody, codes: Uint8Array, blockBytes: number) {
    this.body = body;
    this.#bytes = body.input("blocks", tensor("uint8", [codes.length / blockBytes, blockBytes], codes));
  }

  cast(value: string, to: ElementType): string {
    return this.body.apply("Cast", [value], { to: elementTypes[to].code });
  }

  /** Bytes of each block from `from` on. */
  bytes(from: number, count: number): string {
    const { body } = this;
    return this.cast(
      body.apply("Slice", [this.#bytes, body.ints(from), body.ints(from + count), body.ints(1)]),
      "int32",
    );
  }

  /** Bytes in two's complement. */
  signedBytes(from: number, count: number): string {
    const table = Array.from({ length: 256 }, (_, byte) => (byte < 128 ? byte : byte - 256));
    return this.body.apply("Gather", [this.body.constant(fromNumbers("int32", [256], table)), this.bytes(from, count)]);
  }

  /**
   * Codes of `bits` bits. Of each `stride` bytes first those in the lowest bits, byte by byte, then those in the next: so ggml packs
   * neighbours for vector instructions. With stride 1 all of a byte come before the next byte's.
   */
  codes(from: number, count: number, bits: number, stride: number): string {
    const perByte = 8 / bits;
    return this.#fields(from, count, stride, perByte, (byte, k) => (byte >> (k * bits)) & (2 ** bits - 1));
  }

  /** `perByte` digits of base 3, in the order of `codes`: the first is the integer part of byte · 3/256, and so on. */
  trits(from: number, count: number, perByte: number, stride: number): string {
    return this.#fields(from, count, stride, perByte, (byte, k) => (((byte * 3 ** k) & 255) * 3) >> 8);
  }

  #fields(
    from: number,
    count: number,
    stride: number,
    perByte: number,
    field: (byte: number, k: number) => number,
  ): string {
    const { body } = this;
    const table = Array.from({ length: 256 * perByte }, (_, i) => field(Math.floor(i / perByte), i % perByte));
    const runs = body.apply("Reshape", [this.bytes(from, count), body.ints(-1, count / stride, stride)]);
    const each = body.apply("Gather", [body.constant(fromNumbers("int32", [256, perByte], table)), runs]);
    const turned = stride === 1 ? each : body.apply("Transpose", [each], { perm: [0, 1, 3, 2] });
    return body.apply("Reshape", [turned, body.ints(-1, count * perByte)]);
  }

  /** The float16 at a byte, float32 [blocks, 1]: what its upper byte says alone, plus steps of that size for the lower. */
  half(at: number): string {
    const { body } = this;
    const steps = Array.from({ length: 256 }, (_, upper) => {
      const exponent = (upper >> 2) & 31;
      return (upper < 128 ? 1 : -1) * 2 ** (Math.max(exponent, 1) - 25);
    });
    const first = steps.map((step, upper) => step * (((upper >> 2) & 31 ? 1024 : 0) + (upper & 3) * 256));
    const upper = this.bytes(at + 1, 1);
    const lookUp = (table: number[]): string => body.apply("Gather", [body.constant(float32([256], table)), upper]);
    const lower = body.apply("Mul", [this.cast(this.bytes(at, 1), "float32"), lookUp(steps)]);
    return body.apply("Add", [lookUp(first), lower]);
  }

  /** The float32 at a byte, [blocks, 1]. */
  single(at: number): string {
    const { body } = this;
    // sign and exponent: 9 bits of the last two bytes
    const step = Array.from({ length: 512 }, (_, top) => (top < 256 ? 1 : -1) * 2 ** (Math.max(top & 255, 1) - 150));
    const hidden = Array.from({ length: 512 }, (_, top) => ((top & 255) === 0 ? 0 : 2 ** 23));
    const third = this.bytes(at + 2, 1);
    const [two, half] = [2, 128].map((x) => body.constant(fromNumbers("int32", [], [x])));
    const top = body.apply("Add", [body.apply("Mul", [this.bytes(at + 3, 1), two]), body.apply("Div", [third, half])]);
    const lookUp = (table: number[]): string => body.apply("Gather", [body.constant(float32([512], table)), top]);
    const mantissa = this.sum([
      [this.bytes(at, 1), 1],
      [this.bytes(at + 1, 1), 256],
      [body.apply("Mod", [third, half]), 65536],
    ]);
    return body.apply("Mul", [body.apply("Add", [this.cast(mantissa, "float32"), lookUp(hidden)]), lookUp(step)]);
  }

  /** Σ value · factor, of int32. */
  sum(terms: readonly (readonly [value: string, factor: number])[]): string {
    const { body } = this;
    return terms
      .map(([value, factor]) =>
        factor === 1 ? value : body.apply("Mul", [value, body.constant(fromNumbers("int32", [], [factor]))]),
      )
      .reduce((left, right) => body.apply("Add", [left, right]));
  }

  /** int32 → float32 less a number, [blocks, groups, elements of a group]. */
  centred(codes: string, zero: number, groups: number): string {
    const { body } = this;
    const floats = this.cast(body.apply("Reshape", [codes, body.ints(0, groups, -1)]), "float32");
    return zero === 0 ? floats : body.apply("Sub", [floats, body.constant(float32([], [zero]))]);
  }
}
