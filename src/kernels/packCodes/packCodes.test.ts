import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstDifference } from "#kernels/firstDifference";
import { availableVariants, createKernels } from "#kernels/kernels";
import { packBits } from "#math/packing";

describe.each(availableVariants())("%s", (variant) => {
  const kernels = createKernels({ variant });

  test.each([2, 4] as const)("packs %d bits as packBits does, however many codes", (bits) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (bytes, signed) => {
        const codes = signed ? new Int8Array(bytes.buffer) : bytes;
        const packed = new Uint8Array(Math.ceil((codes.length * bits) / 8)).fill(255);
        kernels.packCodes(codes, bits, packed);
        expect([...packed]).toEqual([...packBits(codes, bits)]);
      }),
    );
  });

  test("takes more than a tile", () => {
    const codes = Uint8Array.from({ length: 600_001 }, (_, i) => i * 7);
    const packed = new Uint8Array(300_001);
    kernels.packCodes(codes, 4, packed);
    expect(firstDifference(packed, packBits(codes, 4))).toBe(-1);
  });
});
