import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstDifference } from "#kernels/firstDifference";
import { decodeFloats, encodeFloats } from "#kernels/floatCodes/reference";
import { availableVariants, createKernels } from "#kernels/kernels";
import * as minifloat from "#math/minifloat";

const formats = Object.entries(minifloat).filter(
  (entry): entry is [string, minifloat.Minifloat] => typeof entry[1] === "object" && entry[1].bits <= 16,
);

describe.each(availableVariants())("%s", (variant) => {
  const kernels = createKernels({ variant, bytes: 1 << 20 });

  describe.each(formats)("%s", (_, format) => {
    const Codes = format.bits > 8 ? Uint16Array : Uint8Array;
    const every = new Codes(2 ** format.bits).map((_, i) => i);
    const values = new Float32Array(every.length);
    decodeFloats(every, format, values);

    test("all codes are the reference's numbers", () => {
      const made = new Float32Array(every.length);
      kernels.decodeFloats(every, format, made);
      expect(firstDifference(made, values)).toBe(-1);
    });

    test.each([true, false])(
      "numbers on, between and beside codes get the reference's codes (saturate %s)",
      (saturate) => {
        const sample = values.filter((v, i) => Number.isFinite(v) && i % (format.bits > 8 ? 97 : 1) === 0);
        const next = new Int32Array(1);
        const beside = (v: number, by: number): number => {
          const float = Float32Array.of(v);
          next[0] = new Int32Array(float.buffer)[0] + by;
          return new Float32Array(next.buffer)[0];
        };
        const x = Float32Array.from(
          [...sample]
            .sort((a, b) => a - b)
            .flatMap((v, i, all) => {
              const middle = Math.fround((v + (all[i + 1] ?? v * 1.5)) / 2);
              return [v, middle, beside(middle, 1), beside(middle, -1), beside(v, 1)];
            }),
        );
        const [made, expected] = [new Codes(x.length), new Codes(x.length)];
        kernels.encodeFloats(x, format, saturate, made);
        encodeFloats(x, format, saturate, expected);
        expect(firstDifference(made, expected)).toBe(-1);
      },
    );

    test("any floats do, NaN and infinities among them", () => {
      fc.assert(
        fc.property(fc.float32Array({ minLength: 1, maxLength: 50 }), fc.boolean(), (x, saturate) => {
          const [made, expected] = [new Codes(x.length), new Codes(x.length)];
          kernels.encodeFloats(x, format, saturate, made);
          encodeFloats(x, format, saturate, expected);
          expect(firstDifference(made, expected)).toBe(-1);
        }),
        { numRuns: 30 },
      );
    });
  });

  test("arrays may be larger than a tile", () => {
    const x = Float32Array.from({ length: 70_001 }, (_, i) => Math.sin(i) * 1000);
    const [made, expected] = [new Uint16Array(x.length), new Uint16Array(x.length)];
    kernels.encodeFloats(x, minifloat.float16, true, made);
    encodeFloats(x, minifloat.float16, true, expected);
    expect(firstDifference(made, expected)).toBe(-1);
    const back = new Float32Array(x.length);
    kernels.decodeFloats(made, minifloat.float16, back);
    expect(back[70_000]).toBeCloseTo(x[70_000], 0);
  });
});
