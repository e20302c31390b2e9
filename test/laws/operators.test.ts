/** Laws that hold for every operator, whatever it computes. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LowbitError } from "#base/errors";
import { createNode } from "#model/attributes";
import type { Dim } from "#model/model";
import { ops } from "#model/ops/index";
import { knownTensor } from "#model/ops/known";
import type { Known } from "#model/ops/types";
import { type ElementType, fromNumbers, toNumbers } from "#model/tensor";
import { type OperatorCase, type OperatorFile, prepared, runCase, type TensorData, tensorOf } from "../operatorCase";

const casesOf = (folder: string): OperatorCase[] => {
  const path = fileURLToPath(new URL(`../golden/${folder}/`, import.meta.url));
  return readdirSync(path).flatMap((file) => (JSON.parse(readFileSync(path + file, "utf8")) as OperatorFile).cases);
};

const cases = [...casesOf("ort-operators"), ...casesOf("ort-contrib"), ...casesOf("onnx-quantize")];

const floatCases = casesOf("ort-operators")
  .filter(({ inputs }) => inputs.some((input) => input?.type === "float32"))
  // codes are made by float32 arithmetic, which their specification asks for
  .filter(({ op }) => !/^QLinear|Quantize/.test(op));

/** The case with its float32 tensors rounded to `type` and stored as `stored`. Scales of sizes keep their own type. */
function retyped(given: OperatorCase, type: ElementType, stored: ElementType): OperatorCase {
  const round = (input: TensorData | null, index: number): TensorData | null => {
    if (input?.type !== "float32" || (index > 0 && ["Resize", "Upsample", "GridSample"].includes(given.op)))
      return input;
    const rounded = fromNumbers(type, input.dims, toNumbers(tensorOf(input)));
    return { ...input, type: stored, data: [...toNumbers(rounded)].map(String) };
  };
  return { ...given, inputs: given.inputs.map(round) };
}

describe.each(["float16", "bfloat16"] as const)("operators of %s", (type) => {
  test.each(floatCases.map((given) => [`${given.op}: ${given.name}`, given] as const))(
    "compute as if exactly, and round once: %s",
    (_, given) => {
      const exact = runCase(retyped(given, type, "float64")).outputs;
      const rounded = runCase(retyped(given, type, type)).outputs;
      given.outputs.forEach((want, i) => {
        if (want?.type !== "float32" || rounded[i].type !== type) return;
        expect(rounded[i].data).toEqual(fromNumbers(type, exact[i].dims, toNumbers(exact[i])).data);
      });
    },
  );
});

/** Operators whose work is multiply-accumulates. */
const products = /Conv|MatMul|Gemm|Einsum|LSTM|GRU|^RNN$/;

describe("the cost of an operator", () => {
  test.each(cases.map((given) => [`${given.op}: ${given.name}`, given] as const))("is counted: %s", (_, given) => {
    const { node, op, inputs } = prepared(given);
    const known = inputs.map((input) => input && knownTensor(input));
    const outputs = runCase(given).outputs.map(({ type, dims }): Known => ({ element: type, shape: dims }));
    const cost = op.cost?.(node, known, outputs) ?? { macs: 0, flops: 0 };
    expect(Number.isSafeInteger(cost.macs) && Number.isSafeInteger(cost.flops)).toBe(true);
    expect(Math.min(cost.macs, cost.flops)).toBeGreaterThanOrEqual(0);
    expect(cost.macs > 0).toBe(products.test(given.op) && !given.op.endsWith("Linear"));
  });
});

const dim = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constantFrom<Dim>("N", "M", null));
const known: fc.Arbitrary<Known | undefined> = fc.option(
  fc.record({
    element: fc.constantFrom<ElementType | undefined>("float32", "int64", "uint8", undefined),
    shape: fc.option(fc.array(dim, { maxLength: 5 }), { nil: undefined }),
  }),
  { nil: undefined },
);

describe("shape inference", () => {
  test.each([...ops])("of %s says something of anything, or refuses by name", (_, op) => {
    fc.assert(
      fc.property(fc.array(known, { maxLength: 8 }), fc.integer({ min: 1, max: 26 }), (inputs, opset) => {
        const node = createNode(
          op.name,
          inputs.map((__, i) => `i${i}`),
          ["o0", "o1"],
          {},
          { domain: op.domain },
        );
        try {
          for (const output of op.infer({ node, opset, inputs, inferGraph: () => [] })) expect(output).toBeDefined();
        } catch (error) {
          if (!(error instanceof LowbitError)) throw error;
        }
      }),
      { numRuns: 200 },
    );
  });
});
