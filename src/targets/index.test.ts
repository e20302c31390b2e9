import { describe, expect, test } from "vitest";
import { acceptanceRow, accepts } from "#targets/acceptance/index";
import { ortNode } from "#targets/acceptance/ortNode";
import { targets } from "#targets/index";
import { opsetCeiling } from "#targets/opsetCeiling";

describe.each(Object.entries(targets))("%s", (name, target) => {
  test("opens operator sets to 26 and files to version 13", () => {
    expect(target.ceiling).toEqual({ opset: 26, irVersion: 13 });
  });

  test("has MatMulNBits of 2, 4 and 8 bits in blocks of powers of two from 16", () => {
    const { int8Activations, ...support } = target.matMulNBits;
    expect(support).toEqual({
      bits: [2, 4, 8],
      blockSizes: [16, 32, 64, 128, 256],
      packedZeroPoints: [2, 4, 8],
      floatZeroPoints: [2, 4],
    });
    // WebAssembly multiplies floats whatever the accuracy level
    expect(int8Activations).toEqual(name === "ort-node" ? [2, 4, 8] : []);
  });

  test("takes uint8 activations with int8 weights", () => {
    const kernel = target.int8Kernel;
    expect(kernel).toBeTypeOf("function");
    for (const op of ["QLinearConv", "QLinearMatMul", "MatMulInteger", "ConvInteger"]) {
      expect(target.accepts(`integer/${op}-${target.activations}-${target.weights}`)).toBe(true);
    }
    expect(target.accepts("integer/QLinearConv-int8-uint8")).toBe(false);
  });
});

test("wrong answers are not accepted", () => {
  expect(ortNode.rows["blocks/MatMul-int4"].verdict).toBe("changes");
  expect(accepts("ort-node", "blocks/MatMul-int4")).toBe(false);
  expect(accepts("ort-node", "fusion/Add")).toBe(true);
  expect(accepts("ort-node", "fusion/Sub")).toBe(true);
});

test("what was never asked has no answer", () => {
  expect(() => accepts("ort-web", "fusion/Abacus")).toThrow(/never asked about fusion\/Abacus/);
  expect(() => acceptanceRow(ortNode, "constructor")).toThrow(/never asked/);
});

test("a ceiling is the highest that ran, whatever the order", () => {
  const rows = {
    "opset/9": { verdict: "runs" },
    "opset/13": { verdict: "runs" },
    "opset/14": { verdict: "rejects" },
    "ir/8": { verdict: "runs" },
  } as const;
  expect(opsetCeiling({ ...ortNode, rows })).toEqual({ opset: 13, irVersion: 8 });
});
