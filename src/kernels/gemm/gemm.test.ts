import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstDifference } from "#kernels/firstDifference";
import { gemmBits, gemmFloat32, gemmInt8, gemmInt8x7, type GemmShape } from "#kernels/gemm/reference";
import { availableVariants, createKernels } from "#kernels/kernels";

test("the references say what their comments say", () => {
  const shape = { m: 1, n: 2, k: 2 };
  const floats = new Float32Array(2);
  gemmFloat32(shape, Float32Array.of(1, 2), Float32Array.of(3, 4, 5, 6), floats);
  expect([...floats]).toEqual([11, 17]);
  const [ints, bits] = [new Int32Array(2), new Int32Array(2)];
  gemmInt8(shape, Int8Array.of(-128, 127), Int8Array.of(-128, 127, 1, 1), ints);
  expect([...ints]).toEqual([128 * 128 + 127 * 127, -1]);
  gemmInt8x7(shape, Int8Array.of(-128, 127), Uint8Array.of(127, 0, 1, 1), ints);
  expect([...ints]).toEqual([-128 * 127, -1]);
  gemmBits(shape, Uint32Array.of(0xffffffff, 0), Uint32Array.of(0, 0, 0xffffffff, 3), bits);
  expect([...bits]).toEqual([32, 2]);
});

const shapes = fc.record({
  m: fc.integer({ min: 1, max: 13 }),
  n: fc.integer({ min: 1, max: 21 }),
  k: fc.integer({ min: 1, max: 90 }),
});
/** More than a block in each direction. */
const large: readonly GemmShape[] = [
  { m: 101, n: 9, k: 1030 },
  { m: 5, n: 1033, k: 33 },
];

describe.each(availableVariants())("%s", (variant) => {
  const kernels = createKernels({ variant });

  const bytes = (length: number, seed: number, mask = 255) =>
    Uint8Array.from({ length }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & mask);

  function expectExact(shape: GemmShape, seed: number): void {
    const { m, n, k } = shape;
    const a = new Int8Array(bytes(m * k, seed).buffer);
    const b = new Int8Array(bytes(n * k, seed + 1).buffer);
    const small = bytes(n * k, seed + 2, 127);
    a.fill(-128, 0, k);
    b.fill(-128, 0, k);
    small.fill(127, 0, k);
    const words = (rows: number, from: number) =>
      Uint32Array.from({ length: rows * k }, (_, i) => Math.imul(i + from + seed, 2654435761));
    const [rowsOfA, rowsOfB] = [words(m, 1), words(n, 7)];
    const pairs = [
      [kernels.gemmInt8, gemmInt8, a, b],
      [kernels.gemmInt8x7, gemmInt8x7, a, small],
      [kernels.gemmBits, gemmBits, rowsOfA, rowsOfB],
    ] as const;
    for (const [fast, reference, left, right] of pairs) {
      const [made, expected] = [new Int32Array(m * n), new Int32Array(m * n)];
      // each pair takes its own arrays
      (fast as typeof gemmInt8)(shape, left as Int8Array, right as Int8Array, made);
      (reference as typeof gemmInt8)(shape, left as Int8Array, right as Int8Array, expected);
      expect(firstDifference(made, expected), `${reference.name} ${JSON.stringify(shape)}`).toBe(-1);
    }
  }

  test("whole numbers and bits are multiplied exactly, whatever the shape", () => {
    fc.assert(fc.property(shapes, fc.nat(1000), expectExact), { numRuns: 30 });
    large.forEach((shape, seed) => expectExact(shape, seed));
  });

  test("floats keep the bound of the reference's comment", () => {
    const expectNear = (shape: GemmShape, scale: number): void => {
      const { m, n, k } = shape;
      const a = Float32Array.from({ length: m * k }, (_, i) => Math.sin(i * scale) * 2 ** (i % 5));
      const b = Float32Array.from({ length: n * k }, (_, i) => Math.cos(i * 1.7));
      const [made, exact, size] = [0, 1, 2].map(() => new Float32Array(m * n));
      kernels.gemmFloat32(shape, a, b, made);
      gemmFloat32(shape, a, b, exact);
      gemmFloat32(shape, a.map(Math.abs), b.map(Math.abs), size);
      made.forEach((c, i) => expect(Math.abs(c - exact[i])).toBeLessThanOrEqual(2 * (k + 1) * 2 ** -24 * size[i]));
    };
    fc.assert(fc.property(shapes, fc.double({ min: 1, max: 9, noNaN: true }), expectNear), { numRuns: 30 });
    for (const shape of large) expectNear(shape, 1.3);
  });

  test("NaN and infinities stay in their rows and columns", () => {
    const shape = { m: 6, n: 10, k: 100 };
    const [a, b, c] = [new Float32Array(600).fill(1), new Float32Array(1000).fill(1), new Float32Array(60)];
    a[150] = Number.NaN;
    b[250] = Number.POSITIVE_INFINITY;
    kernels.gemmFloat32(shape, a, b, c);
    for (let i = 0; i < 60; i++)
      expect(c[i]).toBe(Math.floor(i / 10) === 1 ? Number.NaN : i % 10 === 2 ? Number.POSITIVE_INFINITY : 100);
  });
});
