/** Weights in blocks with a scale each, other than MatMulNBits: standard DequantizeLinear, embeddings, bitsandbytes. */
import { packBits } from "#math/packing";
import {
  type ElementType,
  elementTypes,
  float32,
  fromNumbers,
  int64,
  type Tensor,
  tensor,
  toNumbers,
} from "#model/tensor";
import { Sketch } from "#targets/acceptance/sketch";
import type { AcceptanceCase } from "#targets/acceptance/types";

const exact = 1e-5;
const half = 2e-3;
const scalesNear = (sketch: Sketch, dims: readonly number[], type: ElementType = "float32"): Tensor =>
  fromNumbers(
    type,
    dims,
    toNumbers(sketch.floats(dims, 0.02)).map((x) => x + 0.05),
  );

interface Blocked {
  readonly type: ElementType;
  /** Of K = 64 rows. Default 32. */
  readonly block?: number;
  readonly zero?: boolean;
  /** Type of scales, A and result. Default float32. */
  readonly float?: ElementType;
  readonly transposed?: boolean;
  readonly reader?: "MatMul" | "Gemm" | "Gather";
}

/** DequantizeLinear with `block_size` in front of a layer. */
function blockedWeight(name: string, options: Blocked): AcceptanceCase {
  const { type, block = 32, zero = false } = options;
  const { float = "float32", transposed = false, reader = "MatMul" } = options;
  const sketch = new Sketch(`blocks/${name}`, { opset: elementTypes[type].bits === 2 ? 25 : 21 });
  const [rows, columns] = [64, 16];
  const axis = transposed || reader === "Gather" ? 1 : 0;
  const dims = axis === 0 ? [rows, columns] : [columns, rows];
  const scaleDims = dims.map((n, a) => (a === axis ? n / block : n));
  const inputs = [
    sketch.constant(sketch.codes(type, dims)),
    sketch.constant(scalesNear(sketch, scaleDims, float)),
    ...(zero ? [sketch.constant(sketch.codes(type, scaleDims))] : []),
  ];
  const w = sketch.node("DequantizeLinear", inputs, { axis, block_size: block });
  const a = fromNumbers(float, [3, rows], toNumbers(sketch.floats([3, rows])));
  const y =
    reader === "Gather"
      ? sketch.node("Gather", [w, sketch.input(int64([2, 2], [3, 0, 15, 3]))])
      : reader === "Gemm"
        ? sketch.node("Gemm", [sketch.input(a), w], transposed ? { transB: 1 } : {})
        : sketch.node("MatMul", [sketch.input(a), transposed ? sketch.node("Transpose", [w], { perm: [1, 0] }) : w]);
  sketch.output(y, float);
  const about = [
    `${reader} of ${type} weights behind a DequantizeLinear in blocks of ${block}`,
    ...(zero ? ["with zero points"] : []),
    ...(float === "float32" ? [] : [`in ${float}`]),
    ...(transposed ? ["stored transposed"] : []),
  ];
  return sketch.finish(about.join(", "), float === "float16" ? half : exact, { codes: "product" });
}

interface Embedding {
  readonly type: ElementType;
  /** Width of codes packed into uint8. */
  readonly bits?: number;
  readonly zero?: boolean;
  readonly float?: ElementType;
}

function gatherBlocks(name: string, { type, bits, zero = false, float = "float32" }: Embedding): AcceptanceCase {
  const sketch = new Sketch(`gatherBlocks/${name}`, { opset: type.endsWith("2") ? 25 : 21 });
  const [rows, columns, block] = [7, 64, 16];
  const stored = (dims: readonly number[]): Tensor => {
    if (bits === undefined) return sketch.codes(type, dims);
    const perRow = Math.ceil((dims[1] * bits) / 8);
    const bytes = Array.from({ length: dims[0] }, () =>
      packBits(sketch.codes("uint8", [dims[1]], 0, 2 ** bits - 1).data as Uint8Array, bits),
    );
    return tensor("uint8", [dims[0], perRow], Uint8Array.from(bytes.flatMap((row) => [...row])));
  };
  const inputs = [
    sketch.constant(stored([rows, columns])),
    sketch.input(int64([2, 2], [3, 0, 6, 3])),
    sketch.constant(scalesNear(sketch, [rows, columns / block], float)),
    ...(zero ? [sketch.constant(stored([rows, columns / block]))] : []),
  ];
  const attributes = { block_size: block, quantize_axis: 1, gather_axis: 0, ...(bits === undefined ? {} : { bits }) };
  sketch.output(sketch.node("GatherBlockQuantized", inputs, attributes, "com.microsoft"), float);
  const what = bits === undefined ? type : `uint8 of ${bits} bits`;
  const about = `GatherBlockQuantized of ${what}${zero ? ", with zero points" : ""}${float === "float32" ? "" : `, ${float}`}`;
  return sketch.finish(about, float === "float16" ? half : exact);
}

/** bitsandbytes' 4-bit codes: FP4 (e2m1 with its own order, divided by 12) and NF4 (Dettmers et al. 2023, appendix E). */
const fp4 = [0, 0.0625, 8, 12, 4, 6, 2, 3].map((x) => x / 12);
const bnb4Codebooks = {
  fp4: [...fp4, ...fp4.map((x) => -x)],
  nf4: [
    -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
  ],
} as const;

/** com.microsoft.MatMulBnb4: codes of Wᵀ, flat, two to a byte with the first in the high half, one scale per 64. */
function matMulBnb4(kind: keyof typeof bnb4Codebooks): AcceptanceCase {
  const [rows, columns, block] = [64, 16, 64];
  const sketch = new Sketch(`matMulBnb4/${kind}`, { opset: 17 });
  const a = sketch.floats([3, rows]);
  const codes = sketch.codes("uint8", [columns * rows], 0, 15).data as Uint8Array;
  const absmax = toNumbers(scalesNear(sketch, [(columns * rows) / block]));
  const bytes = Uint8Array.from({ length: codes.length / 2 }, (_, i) => (codes[2 * i] << 4) | codes[2 * i + 1]);
  const attributes = { K: rows, N: columns, block_size: block, quant_type: kind === "fp4" ? 0 : 1 };
  const inputs = [
    sketch.input(a),
    sketch.constant(tensor("uint8", [bytes.length], bytes)),
    sketch.constant(float32([absmax.length], Float32Array.from(absmax))),
  ];
  sketch.output(sketch.node("MatMulBnb4", inputs, attributes, "com.microsoft"));
  const weights = Float32Array.from(codes, (code, i) => bnb4Codebooks[kind][code] * absmax[Math.floor(i / block)]);
  const twin = new Sketch("", { opset: 17 });
  const b = twin.node("Transpose", [twin.constant(float32([columns, rows], weights))]);
  twin.output(twin.node("MatMul", [twin.input(a), b]));
  return sketch.finish(`MatMulBnb4 of ${kind}`, exact, { twin: twin.model() });
}

export const blockCases: readonly AcceptanceCase[] = [
  ...(["int4", "uint4", "int2", "uint2", "int8", "uint8"] as const).map((type) =>
    blockedWeight(`MatMul-${type}`, { type }),
  ),
  blockedWeight("MatMul-int4-zero", { type: "int4", zero: true }),
  blockedWeight("MatMul-uint4-zero", { type: "uint4", zero: true }),
  blockedWeight("MatMul-uint8-zero", { type: "uint8", zero: true }),
  blockedWeight("MatMul-int4-block16", { type: "int4", block: 16 }),
  blockedWeight("MatMul-int4-block8", { type: "int4", block: 8 }),
  blockedWeight("MatMul-int4-block64", { type: "int4", block: 64 }),
  blockedWeight("MatMul-int4-transposed", { type: "int4", transposed: true }),
  blockedWeight("MatMul-int4-float16", { type: "int4", float: "float16" }),
  blockedWeight("MatMul-int16", { type: "int16" }),
  blockedWeight("Gemm-int4", { type: "int4", reader: "Gemm" }),
  blockedWeight("Gemm-int4-transB", { type: "int4", reader: "Gemm", transposed: true }),
  blockedWeight("Gather-int4", { type: "int4", reader: "Gather" }),
  blockedWeight("Gather-uint4-zero", { type: "uint4", reader: "Gather", zero: true }),
  blockedWeight("Gather-int8", { type: "int8", reader: "Gather" }),
  ...[2, 4, 8].flatMap((bits) => [
    gatherBlocks(`uint8-${bits}-bit`, { type: "uint8", bits }),
    gatherBlocks(`uint8-${bits}-bit-zero`, { type: "uint8", bits, zero: true }),
  ]),
  gatherBlocks("uint8-3-bit", { type: "uint8", bits: 3 }),
  gatherBlocks("uint8-4-bit-float16", { type: "uint8", bits: 4, float: "float16" }),
  gatherBlocks("int4", { type: "int4" }),
  gatherBlocks("uint4-zero", { type: "uint4", zero: true }),
  gatherBlocks("uint2", { type: "uint2" }),
  matMulBnb4("fp4"),
  matMulBnb4("nf4"),
];
