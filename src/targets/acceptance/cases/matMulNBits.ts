/** com.microsoft.MatMulNBits: which widths, blocks, zero points and accuracy levels have a kernel. */
import { packBits } from "#math/packing";
import { type ElementType, fromNumbers, type Tensor, tensor, toNumbers } from "#model/tensor";
import { Sketch } from "#targets/acceptance/sketch";
import type { AcceptanceCase } from "#targets/acceptance/types";

interface Form {
  readonly bits: number;
  /** Default 32. */
  readonly block?: number;
  /** Default: none, which means 2^(bits − 1). "packed": uint8, `bits` wide; "float": of A's type. */
  readonly zero?: "packed" | "float";
  /** accuracy_level; default: not written. 4 lets the runtime quantize A to 8 bits. */
  readonly level?: number;
  /** Type of A, the scales and the result. Default float32. */
  readonly type?: ElementType;
  /** Columns of A. Default 256. */
  readonly columns?: number;
  /** Rows of A. Default 3. */
  readonly rows?: number;
  readonly extra?: "bias" | "g_idx";
}

/** What 8-bit activations cost, relative to the greatest result: half a percent, and some room. */
const int8Activations = 0.02;
const half = 2e-3;

function matMulNBits(name: string, form: Form): AcceptanceCase {
  const { bits, block = 32, zero, level, type = "float32", columns = 256, rows = 3, extra } = form;
  const outputs = 16;
  const sketch = new Sketch(`matMulNBits/${name}`, { opset: 17 });
  const floats = (content: Tensor): Tensor => fromNumbers(type, content.dims, toNumbers(content));
  const blocks = Math.ceil(columns / block);
  const codes = sketch.codes("uint8", [outputs * blocks * block], 0, 2 ** bits - 1).data as Uint8Array;
  const bytes = Math.ceil((block * bits) / 8);
  const scales = toNumbers(sketch.floats([outputs, blocks], 0.02)).map((x) => x + 0.05);
  const inputs = [
    sketch.input(floats(sketch.floats([rows, columns]))),
    sketch.constant(tensor("uint8", [outputs, blocks, bytes], packRows(codes, block, bits))),
    sketch.constant(fromNumbers(type, [outputs, blocks], scales)),
  ];
  if (zero === "packed") {
    const zeros = sketch.codes("uint8", [outputs * blocks], 0, 2 ** bits - 1).data as Uint8Array;
    const packed = packRows(zeros, blocks, bits);
    inputs.push(sketch.constant(tensor("uint8", [outputs, packed.length / outputs], packed)));
  } else if (zero === "float") {
    const zeros = toNumbers(sketch.floats([outputs * blocks])).map((x) => 2 ** (bits - 1) + x);
    inputs.push(sketch.constant(fromNumbers(type, [outputs, blocks], zeros)));
  }
  if (extra !== undefined) {
    while (inputs.length < (extra === "bias" ? 5 : 4)) inputs.push("");
    inputs.push(
      extra === "bias"
        ? sketch.constant(floats(sketch.floats([outputs])))
        : sketch.constant(
            fromNumbers(
              "int32",
              [columns],
              Array.from({ length: columns }, (_, k) => (k * 7) % blocks),
            ),
          ),
    );
  }
  const attributes = { K: columns, N: outputs, bits, block_size: block };
  const y = sketch.node(
    "MatMulNBits",
    inputs,
    level === undefined ? attributes : { ...attributes, accuracy_level: level },
    "com.microsoft",
  );
  sketch.output(y, type);
  const tolerance = level === 4 ? int8Activations : type === "float16" ? half : 1e-5;
  return sketch.finish(inWords(form), tolerance);
}

/** Packs stretches of `length` codes, each from a byte on. */
function packRows(codes: Uint8Array, length: number, bits: number): Uint8Array {
  const bytes = Math.ceil((length * bits) / 8);
  const packed = new Uint8Array((codes.length / length) * bytes);
  for (let row = 0; row * length < codes.length; row++) {
    packed.set(packBits(codes.subarray(row * length, (row + 1) * length), bits), row * bytes);
  }
  return packed;
}

function inWords({ bits, block = 32, zero, level, type = "float32", extra, columns, rows }: Form): string {
  return [
    `MatMulNBits of ${bits} bits in blocks of ${block}, ${zero ?? "no"} zero points`,
    level === undefined ? "accuracy_level not written" : `accuracy_level ${level}`,
    ...(type === "float32" ? [] : [`A in ${type}`]),
    ...(extra === undefined ? [] : [`with ${extra}`]),
    ...(columns === undefined ? [] : [`K = ${columns}`]),
    ...(rows === undefined ? [] : [`M = ${rows}`]),
  ].join(", ");
}

const kernels = [2, 4, 8];

export const matMulNBitsCases: readonly AcceptanceCase[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((bits) => matMulNBits(`${bits}-bit`, { bits })),
  ...kernels.flatMap((bits) => [
    matMulNBits(`${bits}-bit-packedZero`, { bits, zero: "packed" }),
    matMulNBits(`${bits}-bit-floatZero`, { bits, zero: "float" }),
    matMulNBits(`${bits}-bit-level4`, { bits, level: 4 }),
    matMulNBits(`${bits}-bit-level4-packedZero`, { bits, level: 4, zero: "packed" }),
    matMulNBits(`${bits}-bit-level4-floatZero`, { bits, level: 4, zero: "float" }),
    matMulNBits(`${bits}-bit-float16`, { bits, type: "float16" }),
    matMulNBits(`${bits}-bit-level4-float16`, { bits, level: 4, type: "float16" }),
    matMulNBits(`${bits}-bit-block16`, { bits, block: 16 }),
    matMulNBits(`${bits}-bit-block128`, { bits, block: 128 }),
    matMulNBits(`${bits}-bit-level4-block16`, { bits, level: 4, block: 16 }),
    matMulNBits(`${bits}-bit-level4-block128`, { bits, level: 4, block: 128 }),
    matMulNBits(`${bits}-bit-level4-oneRow`, { bits, level: 4, rows: 1 }),
    matMulNBits(`${bits}-bit-raggedK`, { bits, columns: 88 }),
    matMulNBits(`${bits}-bit-level4-raggedK`, { bits, level: 4, columns: 88 }),
  ]),
  ...[8, 24, 64, 256].map((block) =>
    matMulNBits(`4-bit-block${block}`, { bits: 4, block, columns: block === 24 ? 240 : 256 }),
  ),
  ...[0, 1, 2, 3, 5].map((level) => matMulNBits(`4-bit-level${level}`, { bits: 4, level })),
  matMulNBits("4-bit-float16-packedZero", { bits: 4, type: "float16", zero: "packed" }),
  matMulNBits("4-bit-float16-floatZero", { bits: 4, type: "float16", zero: "float" }),
  matMulNBits("4-bit-bias", { bits: 4, extra: "bias" }),
  matMulNBits("4-bit-level4-bias", { bits: 4, level: 4, extra: "bias" }),
  matMulNBits("8-bit-level4-bias", { bits: 8, level: 4, extra: "bias" }),
  matMulNBits("4-bit-g_idx", { bits: 4, extra: "g_idx" }),
  matMulNBits("4-bit-level4-g_idx", { bits: 4, level: 4, extra: "g_idx" }),
];
