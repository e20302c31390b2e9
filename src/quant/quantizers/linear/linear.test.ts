import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { exponentOf } from "#math/minifloat";
import { normal } from "#math/normal";
import { dequantize } from "#quant/dequantize";
import type { QTensor } from "#quant/qtensor";
import { quantizeMatrix } from "#quant/quantizers/index";
import { storedBits } from "#quant/storedBits";
import type { Matrix } from "#quant/types";

const quantize = (x: Matrix, scheme: string, importance?: Float32Array): QTensor =>
  quantizeMatrix(x, scheme, { rng: createRng(1), ...(importance === undefined ? {} : { importance }) });
const row = (...values: number[]): Matrix => ({ values: Float32Array.from(values), rows: 1, columns: values.length });
const decoded = (scheme: string, ...values: number[]): number[] => [...dequantize(quantize(row(...values), scheme))];

function gauss(rows: number, columns: number, seed: number): Matrix {
  const rng = createRng(seed);
  return { values: Float32Array.from({ length: rows * columns }, () => normal(rng)), rows, columns };
}

function error(x: Matrix, scheme: string, importance?: Float32Array): number {
  const y = dequantize(quantize(x, scheme, importance));
  return x.values.reduce((sum, v, i) => sum + (importance?.[i % x.columns] ?? 1) * (v - y[i]) ** 2, 0);
}

const scalesOf = ({ decoding }: QTensor): number[] => (decoding.kind === "affine" ? [...decoding.scale] : []);

describe("widths", () => {
  test("of 2 to 16 bits err by less, bit by bit", () => {
    const x = gauss(4, 256, 1);
    let before = Number.POSITIVE_INFINITY;
    for (let bits = 2; bits <= 16; bits++) {
      const now = error(x, `int${bits}/channel`);
      // a bit less is a step twice as large, and four times the error, give or take
      expect(now).toBeLessThan(before / (bits === 2 ? 1 : 2.5));
      before = now;
    }
  });

  test("of one bit are 0 and the extreme, of whichever sign", () => {
    for (const dtype of ["int1", "uint1"]) {
      expect(decoded(dtype, 3, -1, 1, 2)).toEqual([3, 0, 0, 3]);
      expect(decoded(dtype, -3, 1, -1, -2).map((v) => v + 0)).toEqual([-3, 0, 0, -3]);
    }
  });
});

describe("codes", () => {
  test("of full range use the lowest, and cost the highest value a step", () => {
    expect(decoded("int4/full", -8, 7, 8)).toEqual([-8, 7, 7]);
    expect(decoded("int4", -7, 7)).toEqual([-7, 7]);
    const { decoding } = quantize(row(-4, 4), "uint4/symmetric/full");
    expect(decoding).toMatchObject({ scale: Float32Array.of(0.5), zeroPoint: Int32Array.of(8) });
  });

  test("rounded by lot are unbiased: x is the mean of x̂", () => {
    const x: Matrix = { values: new Float32Array(20_000).fill(0.3), rows: 1, columns: 20_000 };
    x.values[0] = 7;
    const values = dequantize(quantize(x, "int4/stochastic"));
    const mean = values.subarray(1).reduce((sum, v) => sum + v, 0) / (values.length - 1);
    // 5 standard errors of a coin that shows 1 three times in ten
    expect(Math.abs(mean - 0.3)).toBeLessThan(5 * Math.sqrt((0.3 * 0.7) / 20_000));
    expect(new Set(values.subarray(1))).toEqual(new Set([0, 1]));
    expect(decoded("int4/stochastic", 7, 3, -2, 0)).toEqual([7, 3, -2, 0]);
  });
});

describe("scales", () => {
  test("that are powers of two clip nothing, and take a byte", () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom("int4/pow2", "uint4/pow2", "int8/channel/pow2"), (seed, scheme) => {
        const x = gauss(3, 32, seed);
        const q = quantize(x, scheme);
        for (const s of scalesOf(q)) expect(2 ** exponentOf(s)).toBe(s);
        expect(storedBits(q).scales).toBe(8 * scalesOf(q).length);
        const largest = Math.max(...scalesOf(q));
        // rounding the zero point moves the whole grid by up to half a step
        dequantize(q).forEach((v, i) => expect(Math.abs(v - x.values[i])).toBeLessThanOrEqual(largest));
      }),
      { numRuns: 50 },
    );
  });

  test("per block are shared by a tile, the last ones short", () => {
    const x: Matrix = { values: Float32Array.from({ length: 15 }, (_, i) => i + 1), rows: 3, columns: 5 };
    // 2 × 3 tiles of  1 2 3 | 4 5   6 7 8 | 9 10 // 11 12 13 | 14 15
    expect(scalesOf(quantize(x, "int8/block:2x3")).map((s) => s * 127)).toEqual(
      [8, 10, 13, 15].map((largest) => expect.closeTo(largest, 5)),
    );
  });

  test("per token are per row, and per group along it", () => {
    const x: Matrix = { values: Float32Array.of(1, 2, 3, -4, 5, 6), rows: 2, columns: 3 };
    expect(scalesOf(quantize(x, "int2/token"))).toEqual([3, 6]);
    expect(scalesOf(quantize(x, "int2/group:2"))).toEqual([2, 3, 5, 6]);
  });
});

describe("ranges of weights", () => {
  const rules = ["minmax", "average", "percentile:99", "aciq", "octav"];
  const heavy = (seed: number): Matrix => {
    const x = gauss(6, 128, seed);
    for (let i = 5; i < x.values.length; i += 61) x.values[i] *= 6;
    return x;
  };

  test.each(["int3/channel", "uint4/group:64", "int2/block:2x32", "uint3"])(
    "by mse err least of all rules, as %s",
    (scheme) => {
      for (const seed of [1, 2, 3]) {
        const x = heavy(seed);
        // rules choose between all numbers, mse between hundredths of the extremes
        for (const rule of rules) expect(error(x, `${scheme}/mse`)).toBeLessThan(1.01 * error(x, `${scheme}/${rule}`));
      }
    },
  );

  test.each(["percentile:99", "mse", "aciq", "octav"])("by %s clip what few values reach", (rule) => {
    const x = gauss(1, 4096, 4);
    x.values[77] = 50;
    expect(scalesOf(quantize(x, `int4/${rule}`))[0]).toBeLessThan(scalesOf(quantize(x, "int4"))[0] / 3);
  });

  test("by percentile are quantiles of the values", () => {
    const values = Array.from({ length: 101 }, (_, i) => i);
    expect(scalesOf(quantize(row(...values), "uint8/percentile:90"))[0] * 255).toBeCloseTo(95, 4);
  });

  test("look at what matters: mse and octav weigh errors by importance", () => {
    const x = heavy(9);
    const importance = Float32Array.from({ length: 128 }, (_, i) => (i < 16 ? 100 : 1));
    for (const rule of ["mse", "octav"]) {
      const blind = quantize(x, `int3/channel/${rule}`);
      const y = dequantize(blind);
      const blindError = x.values.reduce((sum, v, i) => sum + importance[i % 128] * (v - y[i]) ** 2, 0);
      expect(error(x, `int3/channel/${rule}`, importance)).toBeLessThan(blindError);
    }
  });

  test("are those of all values alike where none of them matters", () => {
    const x = heavy(9);
    const importance = Float32Array.from({ length: 128 }, (_, i) => (i < 64 ? 0 : 1));
    for (const rule of ["mse", "octav", "aciq"]) {
      const scales = scalesOf(quantize(x, `int4/group:64/${rule}`, importance));
      expect(scales).toEqual(scalesOf(quantize(x, `int4/group:64/${rule}`)));
    }
  });

  test("of constants, zeros and single values are their own", () => {
    for (const rule of [...rules, "mse"]) {
      expect(decoded(`int8/group:2/${rule}`, 3, 3, 0, 0, -5)).toEqual([3, 3, 0, 0, -5]);
    }
  });

  test("do not depend on how rows are dealt out", () => {
    const x = heavy(3);
    const half: Matrix = { values: x.values.slice(0, 3 * 128), rows: 3, columns: 128 };
    for (const rule of [...rules, "mse"]) {
      const all = quantize(x, `int4/group:32/${rule}`);
      const first = quantize(half, `int4/group:32/${rule}`);
      expect([...all.codes.subarray(0, 3 * 128)]).toEqual([...first.codes]);
    }
  });

  test("aciq without constants for so many bits says which rule has an answer", () => {
    expect(() => quantize(gauss(1, 64, 1), "int12/aciq")).toThrow(expect.objectContaining({ code: "quant/range" }));
  });
});

test("values at the ends of float32 decode to finite numbers", () => {
  for (const scheme of ["int8", "int4/full/pow2", "uint4", "uint8/pow2", "int2/mse", "int1"]) {
    const y = decoded(scheme, 3.4028234663852886e38, -3.4028234663852886e38, 1e-45, 0);
    expect(y.every(Number.isFinite), scheme).toBe(true);
  }
});
