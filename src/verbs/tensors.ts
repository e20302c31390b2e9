/** Verbs on single tensors: what a layer's weights become, without a model around them. */
import { createRng } from "#base/rng";
import { LowbitError } from "#base/errors";
import { dequantize } from "#quant/dequantize";
import type { QTensor } from "#quant/qtensor";
import { quantizeMatrix } from "#quant/quantizers/index";

export interface TensorOptions {
  /** Axis of the output channels: 0 (default) for Conv, Linear of PyTorch and tables; 1 for ONNX's MatMul. */
  readonly channelAxis?: number;
  /** How much an error matters, for each value of what a channel sums over: mean squares of the layer's inputs. */
  readonly importance?: Float32Array;
  readonly seed?: number;
}

/** A tensor as codes, with what it takes to decode them. */
export interface QuantizedTensor {
  readonly shape: readonly number[];
  readonly channelAxis: number;
  /** Channels as rows, all else as columns. */
  readonly matrix: QTensor;
}

/**
 * Quantizes a tensor as a scheme says: `int4/group:32`, `kmeans:16`, `nf4/group:64`, … `values` lie in row-major order. Throws
 * usage/scheme, quant/scheme and quant/non-finite.
 */
export function quantizeTensor(
  values: Float32Array,
  shape: readonly number[],
  scheme: string,
  { channelAxis = 0, importance, seed = 0 }: TensorOptions = {},
): QuantizedTensor {
  const { rows, columns } = viewOf(shape, channelAxis, values.length);
  const x = { values: channelsFirst(values, shape, channelAxis), rows, columns };
  const options = { rng: createRng(seed), ...(importance === undefined ? {} : { importance }) };
  return { shape, channelAxis, matrix: quantizeMatrix(x, scheme, options) };
}

/** The values that a quantized tensor stands for, in row-major order. */
export function dequantizeTensor({ shape, channelAxis, matrix }: QuantizedTensor): Float32Array {
  return channelsBack(dequantize(matrix), shape, channelAxis);
}

/** What is left of a tensor after quantizing and dequantizing it. */
export function fakeQuantizeTensor(
  values: Float32Array,
  shape: readonly number[],
  scheme: string,
  options: TensorOptions = {},
): Float32Array {
  return dequantizeTensor(quantizeTensor(values, shape, scheme, options));
}

function viewOf(shape: readonly number[], axis: number, length: number): { rows: number; columns: number } {
  const size = shape.reduce((product, dim) => product * dim, 1);
  const given = `a tensor of shape [${shape.join(", ")}]`;
  if (size !== length) throw new LowbitError("quant/scheme", `${given} has ${size} values, not ${length}`);
  if (shape.length < 2) return { rows: 1, columns: length };
  if (!(axis in shape)) throw new LowbitError("quant/scheme", `${given} has no axis ${axis}`);
  const rows = shape[axis];
  return { rows, columns: rows === 0 ? 0 : length / rows };
}

/** [outer, channels, inner] → [channels, outer, inner]. */
export function channelsFirst(values: Float32Array, shape: readonly number[], axis: number): Float32Array {
  return axis === 0 || shape.length < 2 ? values : swapped(values, ...split(shape, axis));
}

function channelsBack(values: Float32Array, shape: readonly number[], axis: number): Float32Array {
  if (axis === 0 || shape.length < 2) return values;
  const [outer, channels, inner] = split(shape, axis);
  return swapped(values, channels, outer, inner);
}

function split(shape: readonly number[], axis: number): [outer: number, channels: number, inner: number] {
  const size = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
  return [size(shape.slice(0, axis)), shape[axis], size(shape.slice(axis + 1))];
}

/** [a, b, inner] → [b, a, inner]. */
function swapped(values: Float32Array, a: number, b: number, inner: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++) {
      const from = (i * b + j) * inner;
      out.set(values.subarray(from, from + inner), (j * a + i) * inner);
    }
  return out;
}
