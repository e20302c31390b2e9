import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { dequantizeTensor, fakeQuantizeTensor, quantizeTensor } from "#verbs/tensors";

const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });

function random(shape: readonly number[]): Float32Array {
  const rng = createRng(3);
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => normal(rng));
}

describe("a tensor", () => {
  test("comes back in its own order, whatever axis its channels lie on", () => {
    fc.assert(
      fc.property(shapes, fc.nat(3), (shape, pick) => {
        const channelAxis = pick % shape.length;
        const x = random(shape);
        const back = dequantizeTensor(quantizeTensor(x, shape, "int16/channel", { channelAxis }));
        back.forEach((v, i) => expect(Math.abs(v - x[i])).toBeLessThan(1e-3));
      }),
    );
  });

  test("has a scale for each channel of the axis that is named", () => {
    const x = Float32Array.from([1, 100, 2, 200, 3, 300]);
    const { matrix } = quantizeTensor(x, [3, 2], "int8/channel", { channelAxis: 1 });
    expect(matrix.rows).toBe(2);
    expect(matrix.decoding.kind === "affine" && [...matrix.decoding.scale].map((s) => s * 127)).toEqual([
      expect.closeTo(3, 5),
      expect.closeTo(300, 3),
    ]);
  });

  test("loses less with more bits", () => {
    const x = random([8, 32]);
    const error = (scheme: string): number =>
      fakeQuantizeTensor(x, [8, 32], scheme).reduce((sum, v, i) => sum + (v - x[i]) ** 2, 0);
    expect(error("int8")).toBeLessThan(error("int4"));
    expect(error("int4")).toBeLessThan(error("int2"));
  });

  test("is refused where its shape is another's", () => {
    expect(() => quantizeTensor(random([6]), [2, 2], "int8")).toThrow("has 4 values, not 6");
    expect(() => quantizeTensor(random([4]), [2, 2], "int8", { channelAxis: 2 })).toThrow("no axis 2");
  });
});
