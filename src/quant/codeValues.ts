import { decodeMinifloat } from "#math/minifloat";
import type { FloatRow, TableRow } from "#quant/dtype";

/**
 * What each code of a format of up to 16 bits stands for, in the order of the codes: the table of its lookup decoding. NaN and
 * infinities are in it where the format has them; no encoder here emits their codes. One array for all users: do not write.
 */
export function codeValues(row: FloatRow | TableRow): Float32Array {
  let values = known.get(row.name);
  if (values === undefined) {
    values =
      row.kind === "table"
        ? Float32Array.from(row.values)
        : Float32Array.from({ length: 2 ** row.bits }, (_, code) => decodeMinifloat(row.format, code));
    known.set(row.name, values);
  }
  return values;
}

const known = new Map<string, Float32Array>();
