import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { affineFromRange, decodeAffine, encodeAffine, fitAffine } from "#quant/affine";
import { dequantize } from "#quant/dequantize";
import type { IntegerDType } from "#quant/dtype";
import { integerLayer, integerSums, runIntegerLayer } from "#quant/integerMatMul";
import { quantizeMatrix } from "#quant/quantizers/index";

const codes = (dtype: IntegerDType, low: number, high: number) => ({
  dtype,
  ...affineFromRange(low, high, dtype, { symmetric: false }),
});

function gauss(count: number, seed: number): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length: count }, () => normal(rng));
}

describe("an integer layer", () => {
  test("computes what the float layer on decoded numbers does, to half a code", () => {
    const schemes = fc.constantFrom("int8/channel", "int8", "uint8/asymmetric/channel", "int4/channel", "uint5");
    const inputs = fc.constantFrom<IntegerDType>("uint8", "int8", "uint4");
    fc.assert(
      fc.property(schemes, inputs, fc.integer(), (scheme, dtype, seed) => {
        const [samples, K, outputs] = [3, 24, 5];
        const [x, w, bias] = [gauss(samples * K, seed), gauss(outputs * K, seed + 1), gauss(outputs, seed + 2)];
        const weights = quantizeMatrix({ values: w, rows: outputs, columns: K }, scheme, { rng: createRng(1) });
        const input = codes(dtype, -2.5, 3.5);
        const output = codes("uint8", -15, 20);
        const decoding = {
          kind: "affine",
          dtype,
          granularity: { per: "tensor" },
          scale: Float32Array.of(input.scale),
          zeroPoint: Int32Array.of(input.zeroPoint),
        } as const;
        const q = encodeAffine(x, [samples, K], decoding, { symmetric: false });
        const layer = integerLayer(weights, bias, input, output);
        const got = runIntegerLayer(layer, q);
        const [dx, dw] = [decodeAffine(q, [samples, K], decoding), dequantize(weights)];
        for (let s = 0; s < samples; s++) {
          for (let o = 0; o < outputs; o++) {
            let y = bias[o];
            for (let k = 0; k < K; k++) y += dx[s * K + k] * dw[o * K + k];
            const want = Math.min(255, Math.max(0, y / output.scale + output.zeroPoint));
            // the answer is rounded, and before it the bias, by half a step of the sums; 1e-3 is float32's
            const { mantissa, shift } = layer.multipliers[o];
            const allowed = 0.5 + (mantissa * 2 ** (shift - 31)) / 2 + 1e-3;
            expect(Math.abs(got[s * outputs + o] - want)).toBeLessThan(allowed);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test("clamps as a ReLU does where the output's zero point is its lowest code", () => {
    const weights = quantizeMatrix({ values: Float32Array.of(1, -1), rows: 2, columns: 1 }, "int8", {
      rng: createRng(1),
    });
    const layer = integerLayer(weights, undefined, codes("uint8", 0, 1), codes("uint8", 0, 1));
    expect([...runIntegerLayer(layer, [255])]).toEqual([255, 0]);
  });

  test("is refused where a sum could overflow int32, and not where it just fits", () => {
    const layer = (inputs: number) => {
      const values = new Float32Array(inputs).fill(1);
      const weights = quantizeMatrix({ values, rows: 1, columns: inputs }, "int8", { rng: createRng(1) });
      return integerLayer(weights, undefined, codes("uint8", 0, 1), codes("uint8", 0, inputs));
    };
    // 127·255·66,311 = 2³¹ − 1,583
    expect(integerSums(layer(66_311), new Uint8Array(66_311).fill(255))[0]).toBe(127 * 255 * 66_311);
    expect(() => layer(66_312)).toThrow("overflow int32");
  });

  test.each(["int4/group:8", "kmeans:4", "int8/hadamard"])("is refused for weights as %s", (scheme) => {
    const weights = quantizeMatrix({ values: gauss(64, 1), rows: 4, columns: 16 }, scheme, { rng: createRng(1) });
    expect(() => integerLayer(weights, undefined, codes("uint8", 0, 1), codes("uint8", 0, 1))).toThrow(
      expect.objectContaining({ code: "quant/scheme" }),
    );
  });

  test("is refused where no multiplier leads from its sums to its outputs", () => {
    const decoding = fitAffine(Float32Array.of(1e30), [1, 1], "int8", { per: "tensor" }, { symmetric: true });
    const weights = { scheme: "int8", rows: 1, columns: 1, codes: Int32Array.of(127), decoding };
    expect(() => integerLayer(weights, undefined, codes("uint8", 0, 1), codes("uint8", 0, 1))).toThrow(
      expect.objectContaining({ code: "quant/range" }),
    );
  });
});
