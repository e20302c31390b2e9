/** Scales and zero points: as they are stored, and as numbers that broadcast over a matrix. */
import { LowbitError } from "#base/errors";
import { decodeMinifloat, encodeMinifloat } from "#math/minifloat";
import { roundHalfEven } from "#math/round";
import type { DecoderBody } from "#methods/decoders/decoderBody";
import { type CodeWidth, unpackCodes } from "#methods/decoders/unpackCodes";
import { elementTypes, float32, fromNumbers, int64 } from "#model/tensor";
import type { Scales } from "#quant/decoding";
import { dtype, type DTypeName } from "#quant/dtype";
import { type Granularity, parameterShape } from "#quant/granularity";
import { innerScales } from "#quant/innerScales";

type Matrix = readonly [rows: number, columns: number];

/** Declares scales as inputs, and multiplies a float matrix with them. */
export function applyScales(body: DecoderBody, value: string, scale: Scales | null, matrix: Matrix): string {
  if (scale === null) return value;
  return body.apply("Mul", [value, sharedNumbers(body, "scale", scale, matrix)]);
}

/** Declares numbers of one or two levels as inputs; returns them as float32 that broadcast over the matrix. */
export function sharedNumbers(body: DecoderBody, name: string, numbers: Scales, matrix: Matrix): string {
  const { granularity, values, dtype: type = "float32", outer } = numbers;
  const dims = parameterDims(granularity, matrix);
  if (outer === undefined) return spread(body, storedFloats(body, name, values, type, dims), granularity);
  const inner = innerScales(numbers, matrix);
  const spreadInner = spread(body, storedFloats(body, name, inner, type, dims), granularity);
  return body.apply("Mul", [spreadInner, sharedNumbers(body, `${name}_outer`, outer, matrix)]);
}

/** Integers that elements share, int32, broadcasting over the matrix. */
export function sharedIntegers(
  body: DecoderBody,
  name: string,
  values: ArrayLike<number>,
  width: CodeWidth,
  granularity: Granularity,
  matrix: Matrix,
): string {
  const dims = parameterDims(granularity, matrix);
  return spread(body, integers(body, name, values, width, dims), granularity);
}

/** Dims in which parameters broadcast over a matrix; of groups and blocks one a group. */
export function parameterDims(granularity: Granularity, matrix: Matrix): number[] {
  const dims = parameterShape(matrix, granularity);
  if (granularity.per !== "channel") return dims;
  return granularity.axis === 0 || granularity.axis === -2 ? [dims[0], 1] : [1, dims[0]];
}

/** Parameters with those of groups and blocks repeated for each row or column; others broadcast as they are. */
export function spread(body: DecoderBody, value: string, granularity: Granularity): string {
  if (granularity.per === "group") {
    const axis = granularity.axis === 0 || granularity.axis === -2 ? 0 : 1;
    return repeat(body, value, axis, granularity.size);
  }
  if (granularity.per !== "block") return value;
  const [rows, columns] = granularity.shape;
  return repeat(body, repeat(body, value, 0, rows), 1, columns);
}

function repeat(body: DecoderBody, value: string, axis: 0 | 1, size: number): string {
  if (size === 1) return value;
  const groupOf = body.apply("Div", [body.range(body.size(axis)), body.scalar(size)]);
  return body.apply("Gather", [value, groupOf], { axis });
}

/** The numbers of a format nearest to `values`, as its codes; decoded they are float32 of `dims`. */
function storedFloats(
  body: DecoderBody,
  name: string,
  values: Float32Array,
  type: DTypeName,
  dims: readonly number[],
): string {
  const toFloat = (value: string): string => body.apply("Cast", [value], { to: elementTypes.float32.code });
  if (type === "float32") return body.input(name, float32(dims, values));
  if (type === "float16" || type === "bfloat16") return toFloat(body.input(name, fromNumbers(type, dims, values)));
  const row = dtype(type);
  if (row.kind === "integer") return toFloat(integers(body, name, values.map(roundHalfEven), row, dims));
  if (row.kind !== "float" || row.bits > 8)
    throw new LowbitError("quant/scheme", `scales cannot be stored as ${type} in ONNX`, {
      hint: "float32, float16, bfloat16, integers and floats of 8 bits or less can be",
    });
  const { format, bits } = row;
  const list = Float32Array.from({ length: 2 ** bits }, (_, code) => decodeMinifloat(format, code));
  const codes = values.map((value) => encodeMinifloat(format, value));
  const indices = integers(body, name, codes, { bits, signed: false }, dims);
  return body.apply("Gather", [body.constant(float32([list.length], list)), indices]);
}

/** int32 of `dims`. */
function integers(
  body: DecoderBody,
  name: string,
  values: ArrayLike<number>,
  width: CodeWidth,
  dims: readonly number[],
): string {
  if (dims.length === 0)
    return body.apply("Reshape", [unpackCodes(body, name, values, width, () => body.ints(1)), body.ints()]);
  const shape = body.input(`${name}_shape`, int64([dims.length], dims));
  const count = (): string => body.apply("ReduceProd", [shape], { keepdims: 1 });
  return body.apply("Reshape", [unpackCodes(body, name, values, width, count), shape]);
}
