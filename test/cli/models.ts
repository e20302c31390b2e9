/** Small models and data for the command line's tests, as the bytes of files. */
import { createRng } from "#base/rng";
import { float32, type Tensor } from "#model/tensor";
import { type FileSpec, type GraphSpec, node, onnxFile } from "../onnxBuilder";

/** Numbers in [−scale, scale), the same every time. */
export function noise(dims: readonly number[], scale = 0.3, seed = 1): Tensor {
  const rng = createRng(`${seed} ${dims.join("x")}`);
  const size = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    dims,
    Float32Array.from({ length: size }, () => scale * (2 * rng.uniform() - 1)),
  );
}

/** Image [N, 1, 8, 8] → scores of 10 classes: two convolutions, pooling, a matrix. */
export const smallGraph: GraphSpec = {
  inputs: { image: ["float32", ["N", 1, 8, 8]] },
  outputs: { scores: ["float32", ["N", 10]] },
  nodes: [
    { ...node("Conv", ["image", "w1", "b1"], ["c1"], { pads: [1, 1, 1, 1] }), name: "stem" },
    node("Relu", ["c1"], ["r1"]),
    { ...node("Conv", ["r1", "w2", "b2"], ["c2"], { pads: [1, 1, 1, 1] }), name: "body" },
    node("Relu", ["c2"], ["r2"]),
    node("GlobalAveragePool", ["r2"], ["p"]),
    node("Flatten", ["p"], ["f"]),
    { ...node("Gemm", ["f", "w3", "b3"], ["scores"], { transB: 1 }), name: "head" },
  ],
  initializers: {
    w1: noise([16, 1, 3, 3]),
    b1: noise([16]),
    w2: noise([16, 16, 3, 3]),
    b2: noise([16]),
    w3: noise([10, 16], 2),
    b3: noise([10]),
  },
};

/** The small model with parts replaced. */
export function smallModel(changes: Partial<GraphSpec> = {}, file: FileSpec = { opset: 17, irVersion: 8 }): Uint8Array {
  return onnxFile({ ...smallGraph, ...changes }, file);
}

/** A NumPy file, version 1.0, of float32 values. */
export function npyFile(dims: readonly number[], values: Float32Array): Uint8Array {
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(", ");
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`;
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8);
  return Buffer.concat([magic, Buffer.from(header, "latin1"), Buffer.from(values.buffer)]);
}

/** `count` images for the small model. */
export function smallData(count: number): Uint8Array {
  return npyFile([count, 1, 8, 8], noise([count, 1, 8, 8], 1, 7).data as Float32Array);
}
