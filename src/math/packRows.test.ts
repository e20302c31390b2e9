import * as fc from "fast-check";
import { expect, test } from "vitest";
import { packRows, rowBytes, unpackRows } from "#math/packRows";

test("rows come back as they were, at any width", () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 5 }),
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 16 }),
      fc.integer(),
      (rows, columns, bits, seed) => {
        for (const lowest of [0, -(2 ** (bits - 1))]) {
          const codes = Int32Array.from(
            { length: rows * columns },
            (_, i) => (Math.imul(i + 1, seed | 1) >>> (32 - bits)) + lowest,
          );
          const packed = packRows(codes, columns, bits, lowest);
          expect(packed.length).toBe(rows * rowBytes(columns, bits));
          expect(unpackRows(packed, rows, columns, bits, lowest)).toEqual(codes);
        }
      },
    ),
  );
});

test("read as int32, int4 codes lie as compressed-tensors packs them", () => {
  // compressed_tensors 0.20.0, compressors.pack_quantized.pack_to_int32(
  //   torch.tensor([[-8, -7, 0, 7, 1, 2, 3, 4, -1]], dtype=torch.int8), 4) → [[-878053360, 7]]
  const packed = packRows(Int8Array.of(-8, -7, 0, 7, 1, 2, 3, 4, -1), 9, 4, -8);
  expect([...new Int32Array(packed.buffer)]).toEqual([-878053360, 7]);
});
