import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { affineFromRange, decodeAffine, encodeAffine, fitAffine } from "#quant/affine";
import { dtypes } from "#quant/dtype";
import type { Granularity } from "#quant/granularity";

const integers = [...dtypes.values()]
  .filter((row) => row.kind === "integer" && row.bits >= 2 && row.bits <= 16)
  .map((row) => row.name);
const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) });
const matrix = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 })).chain(([rows, columns]) =>
  fc.record({
    shape: fc.constant([rows, columns]),
    x: fc
      .array(float, { minLength: rows * columns, maxLength: rows * columns })
      .map((values) => Float32Array.from(values)),
  }),
);
const granularity: fc.Arbitrary<Granularity> = fc.oneof(
  fc.constant<Granularity>({ per: "tensor" }),
  fc.integer({ min: 0, max: 1 }).map((axis): Granularity => ({ per: "channel", axis })),
  fc
    .tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 1, max: 4 }))
    .map(([axis, size]): Granularity => ({ per: "group", axis, size })),
);

describe("affine quantization", () => {
  test("no value inside the range moves by more than half a step", () => {
    fc.assert(
      fc.property(
        matrix,
        granularity,
        fc.constantFrom(...integers),
        fc.boolean(),
        ({ shape, x }, per, dtype, symmetric) => {
          const decoding = fitAffine(x, shape, dtype, per, { symmetric });
          const back = decodeAffine(encodeAffine(x, shape, decoding, { symmetric }), shape, decoding);
          const largestStep = Math.max(...decoding.scale);
          // rounding z moves the whole grid by up to half a step: one step in all at the clipped ends; float32 adds its own ulp
          const bound = largestStep * (symmetric ? 0.5 : 1) * (1 + 1e-6) + 1e-6 * Math.max(...x.map(Math.abs));
          for (let i = 0; i < x.length; i++) expect(Math.abs(x[i] - back[i])).toBeLessThanOrEqual(bound);
        },
      ),
    );
  });

  test("zero stays exactly zero, whatever the range", () => {
    fc.assert(
      fc.property(float, float, fc.constantFrom(...integers), fc.boolean(), (a, b, dtype, symmetric) => {
        const { scale, zeroPoint } = affineFromRange(Math.min(a, b), Math.max(a, b), dtype, { symmetric });
        expect(Number.isFinite(scale) && scale > 0).toBe(true);
        const decoding = {
          kind: "affine",
          dtype,
          granularity: { per: "tensor" },
          scale: Float32Array.of(scale),
          zeroPoint: Int32Array.of(zeroPoint),
        } as const;
        const codes = encodeAffine(Float32Array.of(0), [1], decoding, { symmetric });
        expect(Math.abs(decodeAffine(codes, [1], decoding)[0])).toBe(0);
      }),
    );
  });

  test("codes of a decoded tensor are the codes it was decoded from", () => {
    fc.assert(
      fc.property(matrix, granularity, fc.constantFrom(...integers), ({ shape, x }, per, dtype) => {
        const decoding = fitAffine(x, shape, dtype, per, { symmetric: true });
        const codes = encodeAffine(x, shape, decoding, { symmetric: true });
        const again = encodeAffine(decodeAffine(codes, shape, decoding), shape, decoding, { symmetric: true });
        expect([...again]).toEqual([...codes]);
      }),
    );
  });

  test("rounding comes before the zero point, and ties go to even", () => {
    const x = Float32Array.of(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5);
    const decoding = {
      kind: "affine",
      dtype: "int8",
      granularity: { per: "tensor" },
      scale: Float32Array.of(1),
      zeroPoint: Int32Array.of(1),
    } as const;
    expect([...encodeAffine(x, [7], decoding, { symmetric: false })]).toEqual([-1, -1, 1, 1, 3, 3, 5]);
  });

  test("constant, all-zero, denormal and huge channels get a finite scale", () => {
    const x = Float32Array.of(0, 0, 5, 5, 1e-42, -1e-42, 3.4e38, -3.4e38);
    const { scale } = fitAffine(x, [4, 2], "int8", { per: "channel", axis: 0 }, { symmetric: true });
    for (const s of scale) expect(Number.isFinite(s) && s >= 1.1754943508222875e-38).toBe(true);
  });

  test("NaN and infinite weights are refused with their count and first index", () => {
    expect(() =>
      fitAffine(Float32Array.of(1, Number.NaN, Infinity), [3], "int8", { per: "tensor" }, { symmetric: true }),
    ).toThrow(/2 of 3 values.*index 1/);
  });

  test("an empty tensor needs no codes", () => {
    const decoding = fitAffine(new Float32Array(0), [0, 3], "int8", { per: "tensor" }, { symmetric: true });
    expect(encodeAffine(new Float32Array(0), [0, 3], decoding, { symmetric: true })).toHaveLength(0);
    expect(decoding.scale[0]).toBe(1);
  });
});
