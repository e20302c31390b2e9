/** What the laws do not say of the quantizers that are number formats. Their codes are compared with others' in test/golden. */
import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { dequantize } from "#quant/dequantize";
import { quantizeMatrix, tensorScheme } from "#quant/quantizers/index";
import { bitsPerWeight } from "#quant/storedBits";
import type { Matrix } from "#quant/types";

const rng = createRng(11);
const options = { rng };

function matrix(rows: number, columns: number, value: (i: number) => number = () => normal(rng)): Matrix {
  return { values: Float32Array.from({ length: rows * columns }, (_, i) => value(i)), rows, columns };
}

const decoded = (x: Matrix, scheme: string): number[] => [...dequantize(quantizeMatrix(x, scheme, options))];

function relativeError(x: Matrix, scheme: string): number {
  const y = decoded(x, scheme);
  const squares = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value * value, 0);
  return squares(x.values.map((value, i) => value - y[i])) / squares(x.values);
}

test.each([
  ["mxfp8e4m3", 8.25],
  ["mxfp6e3m2", 6.25],
  ["mxfp4", 4.25],
  ["mxint8", 8.25],
  ["mx4", 4],
  ["mx6", 6],
  ["mx9", 9],
  ["nvfp4", 4.5 + 32 / 65536],
  ["nvfp4/one-level", 4.5],
  ["vsq:4", 4.25 + 32 / 1024],
  ["nf4/group:64", 4.5],
  ["float8e4m3fn/channel", 8 + 32 / 1024],
  ["bfloat16", 16],
])("%s stores %d bits a weight", (scheme, bits) => {
  expect(bitsPerWeight(quantizeMatrix(matrix(64, 1024), scheme, options))).toBe(bits);
});

test.each(["mxfp4", "mxint8", "nvfp4", "mx4", "mx6", "vsq:4", "nf4/group:64", "float4e2m1/group:32"])(
  "%s takes rows that are no whole number of blocks",
  (scheme) => {
    for (const columns of [1, 3, 9, 27, 33, 65]) {
      const x = matrix(5, columns);
      const last = decoded(x, scheme).slice(-columns);
      expect(last).toEqual(decoded({ values: x.values.slice(-columns), rows: 1, columns }, scheme).map(near(scheme)));
    }
  },
);

/** The scale that NVFP4 has for the whole tensor moves with the other rows. */
function near(scheme: string): (value: number) => unknown {
  return (value) => (scheme === "nvfp4" ? expect.any(Number) : value);
}

test.each(["mxfp8e4m3", "mxfp8e5m2", "mxfp6e2m3", "mxfp6e3m2", "mxfp4", "mxint8", "mx4", "mx6", "mx9"])(
  "%s commutes with powers of two, and keeps signs apart",
  (scheme) => {
    const x = matrix(4, 64);
    const scaled = { ...x, values: x.values.map((value) => value * 2 ** -20) };
    const negative = { ...x, values: x.values.map((value) => -value) };
    const y = decoded(x, scheme);
    expect(decoded(scaled, scheme)).toEqual(y.map((value) => value * 2 ** -20));
    expect(decoded(negative, scheme).map((value) => value + 0)).toEqual(y.map((value) => -value + 0));
  },
);

test.each([
  ["mxfp4", "mxfp6e2m3", "mxint8"],
  ["mx4", "mx6", "mx9"],
  ["vsq:3", "vsq:4", "vsq:8"],
  ["float4e2m1/channel", "float6e2m3/channel", "float8e4m3fn/channel", "float16"],
])("%s loses more of Gaussian weights than %s, and that more than %s", (...schemes) => {
  const x = matrix(32, 256);
  const errors = schemes.map((scheme) => relativeError(x, scheme));
  expect(errors).toEqual([...errors].sort((a, b) => b - a));
});

test.each(["mxfp8e4m3", "mxint8", "mx9", "nvfp4", "vsq:8/scale:8", "nf4/group:16", "float16/tensor", "float8e4m3fn"])(
  "%s holds the largest float32 and the smallest",
  (scheme) => {
    const largest = decoded(
      matrix(1, 64, () => 3.4028234663852886e38),
      scheme,
    );
    for (const value of largest) expect(value).toBeGreaterThan(2.9e38);
    const smallest = decoded(
      matrix(1, 64, () => 2 ** -149),
      scheme,
    );
    for (const value of smallest) expect(Math.abs(value)).toBeLessThan(1e-37);
  },
);

describe("shared microexponents", () => {
  test("a pair of small numbers has steps half as wide", () => {
    const x = matrix(1, 16, (i) => (i === 15 ? 1.5 : [0.25, 0.75][i % 2]));
    const y = decoded(x, "mx4");
    // E = 0 and m = 2: steps of 1/2, and of 1/4 in pairs below 1
    expect(y.slice(0, 2)).toEqual([0.25, 0.75]);
    expect(y.slice(-2)).toEqual([0, 1.5]); // 0.25 beside 1.5: halfway, to even
  });
});

describe("VS-Quant", () => {
  test("scales are whole multiples of the channel's", () => {
    const q = quantizeMatrix(matrix(8, 64), "vsq:4", options);
    if (q.decoding.kind !== "affine") throw new Error("vsq decodes as affine");
    const { values, outer } = q.decoding.storedScale ?? {};
    const multiples = [...(values ?? [])].map((value, i) => value / (outer?.values[Math.floor(i / 4)] ?? 0));
    for (const multiple of multiples) {
      expect(multiple).toBeCloseTo(Number(multiple.toFixed(0)), 5);
      expect(multiple).toBeGreaterThan(0.99);
      expect(multiple).toBeLessThan(15.01);
    }
  });
});

describe("what does not fit", () => {
  const huge = matrix(1, 32, () => 1e6);

  test("a float without scale says its largest number, and what reaches further", () => {
    expect(() => quantizeMatrix(huge, "float16", options)).toThrow(
      expect.objectContaining({
        code: "quant/scheme",
        message: "values up to 1000000 do not fit float16, whose largest is 65504",
        hint: expect.stringContaining("bfloat16") as string,
      }) as Error,
    );
    expect(decoded(huge, "float16/tensor")[0]).toBe(1e6);
  });

  test("blocks of NVFP4 without a scale for the tensor end at 2688", () => {
    expect(() => quantizeMatrix(huge, "nvfp4/one-level", options)).toThrow("1000000 do not fit");
  });

  test.each([
    ["mxfp4/group:16", "it takes no flags"],
    ["mxfp4:3", "scheme is"],
    ["vsq:1", "vsq:4/group:16/scale:4"],
    ["vsq:4/scale:9", "vsq:4/group:16/scale:4"],
    ["vsq:4/group:1", "vsq:4/group:16/scale:4"],
    ["nf4/group:0", "scheme is"],
    ["nvfp4/channel", "/one-level"],
    ["float8e4m3fn/block:4x4", "/unscaled"],
  ])("%s is no scheme, and the hint says what is", (scheme, hint) => {
    expect(() => tensorScheme(scheme)).toThrow(
      expect.objectContaining({ code: "usage/scheme", hint: expect.stringContaining(hint) as string }) as Error,
    );
  });
});
