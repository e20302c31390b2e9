import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { dequantize } from "#quant/dequantize";
import { quantizeMatrix, tensorScheme } from "#quant/quantizers/index";

const row = (values: Float32Array) => ({ values, rows: 1, columns: values.length });
const decoded = (x: Float32Array, scheme: string, seed: number | string = 1): Float32Array =>
  dequantize(quantizeMatrix(row(x), scheme, { rng: createRng(seed) }));
const error = (x: Float32Array, y: Float32Array): number => x.reduce((sum, v, i) => sum + (v - y[i]) ** 2, 0);

function drawn(count: number, seed: number): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length: count }, () => normal(rng));
}

describe("binary weights", () => {
  test("the sign of zero is plus, of both zeros, with one bit and with more", () => {
    const x = Float32Array.of(0, -0, ...drawn(100, 1));
    for (const scheme of ["binary", "binary:2", "binary:3"]) {
      const [zero, minusZero] = decoded(x, scheme);
      expect([zero > 0, minusZero > 0], scheme).toEqual([true, true]);
    }
  });

  test("each row, or group, has a scale of its own", () => {
    const x = Float32Array.of(1, -3, 10, 10);
    const rows = quantizeMatrix({ values: x, rows: 2, columns: 2 }, "binary/channel", { rng: createRng(1) });
    expect([...dequantize(rows)]).toEqual([2, -2, 10, 10]);
    expect([...decoded(x, "binary/group:2")]).toEqual([2, -2, 10, 10]);
  });

  test("bits of a code are the signs of its terms", () => {
    const q = quantizeMatrix(row(drawn(512, 2)), "binary:3", { rng: createRng(1) });
    if (q.decoding.kind !== "lookup") throw new Error("lookup expected");
    const { tables } = q.decoding;
    const terms = [1, 2, 4].map((bit) => (tables[bit] - tables[0]) / 2);
    tables.forEach((value, code) => {
      const sum = terms.reduce((total, term, i) => total + ((code >> i) & 1 ? term : -term), 0);
      expect(value).toBeCloseTo(sum, 5);
    });
    expect(terms[0]).toBeGreaterThan(terms[1]);
    expect(terms[1]).toBeGreaterThan(terms[2]);
  });

  test("another term never makes it worse, and none is better than free levels", () => {
    for (let seed = 0; seed < 20; seed++) {
      const x = drawn(300, seed).map((v) => (seed % 2 === 0 ? v : v * v * v));
      const errors = ["binary", "binary:2", "binary:3", "binary:4"].map((scheme) => error(x, decoded(x, scheme)));
      expect([...errors].sort((a, b) => b - a)).toEqual(errors);
      ["kmeans:2", "kmeans:4", "kmeans:8", "kmeans:16"].forEach((free, k) => {
        expect(error(x, decoded(x, free))).toBeLessThanOrEqual(errors[k] * (1 + 1e-6));
      });
    }
  });

  test("drawn by lot it is the weight on average, within plus and minus the scale", () => {
    const x = Float32Array.of(-2, -0.5, -0.25, 0, 0.1, 0.35, 2.8);
    const scale = x.reduce((sum, v) => sum + Math.abs(v), 0) / x.length;
    const mean = new Float64Array(x.length);
    const draws = 4000;
    for (let i = 0; i < draws; i++) decoded(x, "binary/stochastic", i).forEach((v, k) => (mean[k] += v / draws));
    // six standard deviations of a mean of 4000
    mean.forEach((m, k) => expect(Math.abs(m - Math.max(-scale, Math.min(scale, x[k])))).toBeLessThan(0.095 * scale));
  });

  test("what does not exist is refused", () => {
    for (const scheme of ["binary:5", "binary:0", "binary:x", "binary:2/stochastic", "binary/fast", "binary/group:0"])
      expect(() => tensorScheme(scheme), scheme).toThrow(expect.objectContaining({ code: "usage/scheme" }));
  });
});
