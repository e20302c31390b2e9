import type { Weight } from "#methods/plan/weights";
import { sizeOf } from "#model/tensor";

/**
 * A weight as quantizers see it: a matrix whose rows are output channels and whose columns are what they sum over. Its elements are
 * those of [outer, length, channels, rest] with the middle axes exchanged: [outer · channels, length · rest].
 *
 * | operator                | dims               | outer | length | channels | rest   |
 * | Conv                    | [out, in, kernel…] | out   | in·k   | 1        | 1      |
 * | ConvTranspose           | [in, out, kernel…] | 1     | in     | out      | kernel |
 * | MatMul, Gemm            | [… in, out]        | …     | in     | out      | 1      |
 * | Gemm transposed, tables | [out, in]          | out   | in     | 1        | 1      |
 */
export interface MatrixView {
  readonly rows: number;
  readonly columns: number;
  readonly axes: readonly [outer: number, length: number, channels: number, rest: number];
}

export function matrixView({
  ref: { dims },
  channelAxis,
  reduction: [outer, length, inner],
}: Pick<Weight, "channelAxis" | "reduction"> & { readonly ref: { readonly dims: readonly number[] } }): MatrixView {
  const rest = inner === 1 ? 1 : sizeOf(dims.slice(channelAxis + 1));
  const channels = inner / rest;
  return { rows: outer * channels, columns: length * rest, axes: [outer, length, channels, rest] };
}

/** Whether elements change their order between tensor and matrix. */
export function isTurned({ axes: [, length, channels] }: MatrixView): boolean {
  return length > 1 && channels > 1;
}

/** A tensor's elements in the order of the matrix. */
export function toMatrix(values: Float32Array, view: MatrixView): Float32Array {
  return isTurned(view) ? exchange(values, view.axes) : values;
}

/** The matrix's elements in the order of the tensor. */
export function fromMatrix(values: Float32Array, view: MatrixView): Float32Array {
  const [outer, length, channels, rest] = view.axes;
  return isTurned(view) ? exchange(values, [outer, channels, length, rest]) : values;
}

/** [a, b, c, d] → [a, c, b, d] */
function exchange(values: Float32Array, [a, b, c, d]: MatrixView["axes"]): Float32Array {
  const out = new Float32Array(values.length);
  let from = 0;
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      for (let k = 0; k < c; k++) {
        const to = ((i * c + k) * b + j) * d;
        for (let l = 0; l < d; l++) out[to + l] = values[from++];
      }
    }
  }
  return out;
}
