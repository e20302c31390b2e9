import * as fc from "fast-check";
import { expect, test } from "vitest";
import { packBits } from "#math/packing";
import { xnorDot, xnorScales } from "#quant/xnorScales";

const packed = (signs: readonly number[]): Uint8Array =>
  packBits(
    signs.map((s) => Number(s > 0)),
    1,
  );

test("counting equal bits is multiplying signs: MIT 6.5940 lecture 6's example gives −2", () => {
  const w = [1, -1, 1, -1];
  const x = [1, 1, -1, 1];
  expect([...packed(w), ...packed(x)]).toEqual([0b0101, 0b1011]);
  expect(xnorDot(packed(w), packed(x), 4)).toBe(-2);
});

test("the product of packed signs is the sum of their products, whatever the length", () => {
  const sign = fc.constantFrom(-1, 1);
  fc.assert(
    fc.property(fc.array(fc.tuple(sign, sign), { minLength: 1, maxLength: 70 }), (pairs) => {
      const dot = pairs.reduce((sum, [a, b]) => sum + a * b, 0);
      expect(xnorDot(packed(pairs.map(([a]) => a)), packed(pairs.map(([, b]) => b)), pairs.length)).toBe(dot);
    }),
  );
});

test("K is the mean magnitude under the window: over channels, and with zeros beyond the edge", () => {
  // two channels of 2 × 3
  const image = Float32Array.of(1, -2, 3, -4, 5, -6, /* */ 3, 2, -1, 4, -3, 0);
  const shape = { channels: 2, height: 2, width: 3 };
  // A = [[2, 2, 2], [4, 4, 3]]
  const inside = xnorScales(image, shape, { kernel: [2, 2], strides: [1, 1], pads: [0, 0, 0, 0] });
  expect([...inside]).toEqual([3, 2.75]);
  const padded = xnorScales(image, shape, { kernel: [3, 3], strides: [1, 2], pads: [1, 1, 1, 1] });
  expect([...padded]).toEqual([12 / 9, 11 / 9, 12 / 9, 11 / 9].map(Math.fround));
});

test("where all inputs have one magnitude, signs and scales give the convolution exactly", () => {
  const x = Float32Array.of(0.5, -0.5, -0.5, 0.5, 0.5, 0.5);
  const w = [0.25, -0.25, 0.25];
  const K = xnorScales(
    x,
    { channels: 1, height: 1, width: 6 },
    { kernel: [1, 3], strides: [1, 1], pads: [0, 0, 0, 0] },
  );
  for (let o = 0; o < 4; o++) {
    const window = Array.from(x.subarray(o, o + 3));
    const exact = window.reduce((sum, v, i) => sum + v * w[i], 0);
    expect(xnorDot(packed(window), packed(w), 3) * K[o] * 0.25).toBe(exact);
  }
});
