/** One number in one format, whatever kind of format it is: what `lowbit formats` shows. Tensors have faster ways. */
import { decodeMinifloat, encodeMinifloat } from "#math/minifloat";
import { roundHalfEven } from "#math/round";
import type { DType } from "#quant/dtype";

/**
 * The code of the number nearest to `x`, as an unsigned pattern of the format's bits: −3 in int8 is 253. Halfway between two
 * the even code (of a table: the lower number); beyond the last the last, but ∞ where there is one. Undefined for NaN in a
 * format that has none, and for 0 and negative numbers in one without sign.
 */
export function encodeNumber(row: DType, x: number): number | undefined {
  switch (row.kind) {
    case "integer":
    case "fixed": {
      if (Number.isNaN(x)) return undefined;
      const step = row.kind === "fixed" ? 2 ** -row.fractionBits : 1;
      const code = roundHalfEven(Math.max(row.min, Math.min(x, row.max)) / step);
      return code < 0 ? code + 2 ** row.bits : code + 0;
    }
    case "float": {
      const code = encodeMinifloat(row.format, x, Number.isFinite(x) || row.format.special !== "ieee");
      // formats without a NaN give some other code for what they cannot hold
      const held = row.signed ? !Number.isNaN(x) : x > 0;
      return held || Number.isNaN(decodeMinifloat(row.format, code)) ? code : undefined;
    }
    case "table": {
      if (Number.isNaN(x)) return undefined;
      const distance = (code: number): number => Math.abs(row.values[code] - Math.max(row.min, Math.min(x, row.max)));
      return [...row.values.keys()].reduce((best, code) =>
        distance(code) < distance(best) || (distance(code) === distance(best) && row.values[code] < row.values[best])
          ? code
          : best,
      );
    }
  }
}

/** What a pattern of the format's bits stands for. */
export function decodeNumber(row: DType, code: number): number {
  switch (row.kind) {
    case "integer":
    case "fixed": {
      const value = row.signed && code >= 2 ** (row.bits - 1) ? code - 2 ** row.bits : code;
      return row.kind === "fixed" ? value * 2 ** -row.fractionBits : value;
    }
    case "float":
      return decodeMinifloat(row.format, code);
    case "table":
      return row.values[code];
  }
}

/** The format's greatest number ≤ x and its least ≥ x; null where there is none. Both are x where the format has it. */
export function neighbours(row: DType, x: number): { readonly below: number | null; readonly above: number | null } {
  if (!Number.isFinite(x)) return { below: null, above: null };
  const near = candidates(row, x).filter(Number.isFinite);
  const below = near.filter((value) => value <= x).reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const above = near.filter((value) => value >= x).reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return { below: Number.isFinite(below) ? below : null, above: Number.isFinite(above) ? above : null };
}

/** Numbers of the format among which are the two next to x. */
function candidates(row: DType, x: number): readonly number[] {
  if (row.kind === "table") return row.values;
  if (row.kind === "float") {
    // codes next to one another are numbers next to one another, on each side of 0; below the least stand 0 and its other side
    const code = encodeNumber(row, row.signed ? x : Math.max(x, row.min)) ?? 0;
    return [code - 1, code, code + 1]
      .filter((each) => each >= 0 && each < 2 ** row.bits)
      .map((each) => decodeNumber(row, each));
  }
  const step = row.kind === "fixed" ? 2 ** -row.fractionBits : 1;
  return [Math.floor(x / step) * step, Math.ceil(x / step) * step, row.min, row.max].filter(
    (value) => value >= row.min && value <= row.max,
  );
}
