/** Affine quantization against matrices published with their codes; a case is a file. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeAffine, encodeAffine, fitAffine } from "#quant/affine";
import type { DTypeName } from "#quant/dtype";
import type { Granularity } from "#quant/granularity";

interface GoldenFile {
  readonly source: string;
  readonly shape: number[];
  readonly x: number[];
  readonly cases: readonly {
    readonly name: string;
    readonly dtype: DTypeName;
    readonly per: "tensor" | "channel";
    readonly symmetric: boolean;
    readonly scale: number[];
    readonly zeroPoint: number[];
    readonly codes: number[];
    readonly frobeniusError?: number;
  }[];
}

const folder = new URL("./affine/", import.meta.url);

for (const file of readdirSync(folder)) {
  const golden = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as GoldenFile;
  const x = Float32Array.from(golden.x);
  describe(golden.source, () => {
    test.each(golden.cases)("$name", ({ dtype, per, symmetric, scale, zeroPoint, codes, frobeniusError }) => {
      const granularity: Granularity = per === "tensor" ? { per } : { per, axis: 0 };
      const decoding = fitAffine(x, golden.shape, dtype, granularity, { symmetric });
      expect([...decoding.scale]).toEqual(scale.map((s) => expect.closeTo(s, 6)));
      expect([...(decoding.zeroPoint ?? new Int32Array(scale.length))]).toEqual(zeroPoint);
      const q = encodeAffine(x, golden.shape, decoding, { symmetric });
      expect([...q].map((code) => code + 0)).toEqual(codes);
      if (frobeniusError === undefined) return;
      const back = decodeAffine(q, golden.shape, decoding);
      expect(Math.sqrt(x.reduce((sum, v, i) => sum + (v - back[i]) ** 2, 0))).toBeCloseTo(frobeniusError, 5);
    });
  });
}
