/**
 * What runtimes gain from layers that keep their weights as codes while they compute, as a table. Each entry was measured against
 * the same layer in float, one thread, on x64 with AVX-512-VNNI (`bench/storedKernels.mjs` measures it again): below so many
 * weights the float kernel is as fast or faster. Planning prefers what was measured on the host itself, where there is that.
 */

/** How a layer computes on weights that stay codes. */
export type StoredForm =
  /** x is quantized at each run, and codes are multiplied by codes (DynamicQuantizeLinear, MatMulInteger). */
  | "int8-dynamic"
  /** Codes are decoded block by block inside the kernel (MatMulNBits). */
  | "weight-only";

/** Least number of weights that gain, by rows of x: the last pair whose rows are reached counts. */
type Gains = readonly (readonly [rows: number, weights: number])[];

/** What one runtime has. */
export interface StoredKernels {
  /** x·W + b on dynamic int8 (W of 8 bits). */
  readonly dynamicMatrix: Gains;
  /** DynamicQuantizeLSTM, by weights of W and R together; rows are time steps × batch. */
  readonly dynamicLstm: Gains;
  /** MatMulNBits, by bits of a code. */
  readonly matMulNBits: Readonly<Record<2 | 4 | 8, Gains>>;
  /** Whether a table of GatherBlockQuantized is worth more than a decoded one. */
  readonly gatherBlocks: boolean;
}

const never: Gains = [];

/**
 * ONNX Runtime 1.30, µs float → stored, x [rows, K] · W [K, N]:
 *
 * | K × N (weights)         | rows | dynamic int8 | 4 bits      | 8 bits      | 2 bits        |
 * |-------------------------|------|--------------|-------------|-------------|---------------|
 * | 128 × 128 (16 thousand) | 1    | 3.8 → 4.3    | 3.8 → 4.2   | 3.8 → 4.1   | 3.8 → 4.3     |
 * | 256 × 256 (66 thousand) | 1    | 8.8 → 8.0    | 8.8 → 7.8   | 8.8 → 7.9   | 8.8 → 8.7     |
 * | 512 × 512 (262 thousand)| 1    | 13.6 → 7.0   | 13.6 → 6.7  | 13.6 → 6.6  | 13.6 → 8.8    |
 * | 128 × 128               | 8    | 4.6 → 4.5    | 4.6 → 5.7   | 4.6 → 5.5   | 4.6 → 6.9     |
 * | 512 × 512               | 8    | 28 → 11      | 28 → 22     | 28 → 20     | 28 → 38       |
 * | 64 × 64 (4 thousand)    | 64   | 5.5 → 5.3    | 5.5 → 11.3  | 5.5 → 9.8   | 5.5 → 16      |
 * | 512 × 512               | 64   | 143 → 48     | 143 → 148   | 143 → 131   | 143 → 278     |
 * | 1024 × 1024 (1 million) | 64   | 641 → 186    | 641 → 534   | 641 → 474   | 641 → 1,031   |
 *
 * As WebAssembly (1.30, Node 20) dynamic int8 loses at one row (1024 × 1024: 89 → 176) and wins at 8 (572 → 321); MatMulNBits loses
 * everywhere, at one row by 10 to 50 times; DynamicQuantizeLSTM loses everywhere (256 wide: 52 → 119).
 */
const runtimes: Readonly<Record<string, StoredKernels>> = {
  "ort-node": {
    dynamicMatrix: [
      [1, 65_536],
      [8, 16_384],
      [64, 4_096],
    ],
    dynamicLstm: [
      [1, 65_536],
      [8, 32_768],
    ],
    matMulNBits: {
      2: [
        [1, 131_072],
        [8, Number.POSITIVE_INFINITY],
      ],
      4: [
        [1, 65_536],
        [8, 262_144],
        [64, 1_048_576],
      ],
      8: [
        [1, 65_536],
        [8, 262_144],
      ],
    },
    gatherBlocks: true,
  },
  "ort-web": {
    dynamicMatrix: [
      [8, 262_144],
      [64, 65_536],
    ],
    dynamicLstm: never,
    matMulNBits: { 2: never, 4: never, 8: never },
    gatherBlocks: false,
  },
};

/** The row of a runtime; undefined for one that was not measured: weights are decoded when a model is loaded, which runs anywhere. */
export function storedKernels(runtime: string): StoredKernels | undefined {
  return Object.hasOwn(runtimes, runtime) ? runtimes[runtime] : undefined;
}

/** Whether a layer of so many weights gains at so many rows. */
export function gains(table: Gains, rows: number, weights: number): boolean {
  const least = table.filter(([from]) => rows >= from).at(-1)?.[1] ?? Number.POSITIVE_INFINITY;
  return weights >= least;
}
