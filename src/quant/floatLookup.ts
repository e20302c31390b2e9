import { sharedKernels } from "#kernels/shared";
import { codeValues } from "#quant/codeValues";
import type { Lookup, Scales } from "#quant/decoding";
import type { FloatRow } from "#quant/dtype";
import { forEachRun } from "#quant/granularity";
import type { QTensor } from "#quant/qtensor";
import type { Matrix } from "#quant/types";

/**
 * The matrix in a small floating-point format: code = encode(x / s), the division in float32 and the rounding to nearest, ties to
 * even, saturating (ONNX QuantizeLinear to float8). Decodes as a lookup whose table is the format.
 */
export function floatLookup(
  { values, rows, columns }: Matrix,
  scheme: string,
  row: FloatRow,
  scale: Scales | null,
): QTensor {
  const codes = row.bits > 8 ? new Uint16Array(values.length) : new Uint8Array(values.length);
  const { granularity, values: scales } = scale ?? one;
  const scaled = new Float32Array(values.length);
  forEachRun([rows, columns], granularity, (index, offset, step, count) => {
    const s = scales[index];
    for (let k = 0, i = offset; k < count; k++, i += step) scaled[i] = values[i] / s;
  });
  sharedKernels().encodeFloats(scaled, row.format, true, codes);
  const tables = codeValues(row);
  const decoding: Lookup = {
    kind: "lookup",
    bits: row.bits,
    tableGranularity: { per: "tensor" },
    tables,
    entries: tables.length,
    dtype: row.name,
    scale,
  };
  return { scheme, rows, columns, codes, decoding };
}

const one: Scales = { granularity: { per: "tensor" }, values: Float32Array.of(1) };
