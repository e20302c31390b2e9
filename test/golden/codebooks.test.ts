/** Codebook and low-bit quantizers against published matrices, constants and optima; a case is an entry of a file. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { dequantize } from "#quant/dequantize";
import { quantizeMatrix } from "#quant/quantizers/index";
import { type StoredBits, storedBits } from "#quant/storedBits";

interface GoldenFile {
  readonly source: string;
  readonly rows?: number;
  readonly columns?: number;
  readonly x?: number[];
  /** Instead of x: evenly spaced, weighted by the normal density. */
  readonly grid?: { readonly from: number; readonly to: number; readonly count: number };
  readonly cases: readonly GoldenCase[];
}

interface GoldenCase {
  readonly name: string;
  readonly scheme: string;
  /** Distinct decoded values, ascending. */
  readonly levels?: number[];
  /** How many weights decode to each level. */
  readonly counts?: number[];
  readonly codes?: number[];
  /** Weighted, where there is a weighting. */
  readonly squaredError: number;
  /** Decimals that agree. */
  readonly digits: number;
  readonly bits?: Partial<StoredBits>;
  /** Weighted share of zeros. */
  readonly zeroShare?: number;
}

const folder = new URL("./codebooks/", import.meta.url);

for (const file of readdirSync(folder)) {
  const golden = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as GoldenFile;
  const { x, importance } = numbers(golden);
  const matrix = { values: x, rows: golden.rows ?? 1, columns: golden.columns ?? x.length };

  describe(golden.source, () => {
    test.each(golden.cases)("$scheme: $name", ({ scheme, levels, counts, codes, squaredError, digits, bits, zeroShare }) => {
      const q = quantizeMatrix(matrix, scheme, { importance, rng: createRng(1) });
      const back = dequantize(q);
      const share = (i: number): number => importance?.[i] ?? 1;
      expect(back.reduce((sum, v, i) => sum + share(i) * (x[i] - v) ** 2, 0)).toBeCloseTo(squaredError, digits);
      const distinct = [...new Set(back)].sort((a, b) => a - b);
      // a level moves with the grid's own step, 0.00025
      if (levels !== undefined)
        expect(distinct).toEqual(levels.map((level) => expect.closeTo(level, importance === undefined ? 6 : 3)));
      if (counts !== undefined)
        expect(distinct.map((level) => back.filter((v) => v === level).length)).toEqual(counts);
      if (codes !== undefined) expect([...q.codes]).toEqual(codes);
      if (bits !== undefined) expect(storedBits(q)).toMatchObject(bits);
      if (zeroShare !== undefined)
        expect(back.reduce((sum, v, i) => sum + (v === 0 ? share(i) : 0), 0)).toBeCloseTo(zeroShare, 3);
    });
  });
}

function numbers({ x, grid }: GoldenFile): { readonly x: Float32Array; readonly importance?: Float32Array } {
  if (grid === undefined) return { x: Float32Array.from(x ?? []) };
  const step = (grid.to - grid.from) / (grid.count - 1);
  const points = Float32Array.from({ length: grid.count }, (_, i) => grid.from + i * step);
  return { x: points, importance: points.map((v) => (Math.exp((-v * v) / 2) / Math.sqrt(2 * Math.PI)) * step) };
}
