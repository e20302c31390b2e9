import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { compareEnergy, energyOf, modelEnergy } from "#report/energy";
import { floatAdd, floatMultiply, integerAdd, integerMultiply } from "#report/horowitz";
import type { StepWork } from "#report/workload";
import { float32, fromNumbers } from "#model/tensor";
import { modelOf } from "../../test/modelBuilder";

const work = (macs: number, weightBytes: number, arithmetic: StepWork["arithmetic"]) => ({
  steps: [
    {
      node: createNode("Conv", [], ["y"]),
      arithmetic,
      macs,
      flops: 0,
      rescaling: 0,
      weightBytes,
      activationBytes: 0,
      times: 1,
    },
  ],
  assumed: [],
  uncounted: [],
});
const float = { kind: "float", bits: 32 } as const;
const int8 = { kind: "integer", bits: [8, 8] } as const;

describe("Horowitz's table", () => {
  test("holds what the course's slides print, and its fits what they lack", () => {
    expect([
      integerAdd(32),
      integerMultiply(8, 8),
      floatAdd(16),
      floatMultiply(16),
      floatAdd(32),
      floatMultiply(32),
    ]).toEqual([0.1, 0.2, 0.4, 1.1, 0.9, 3.7]);
    expect(integerMultiply(4, 8)).toBeCloseTo(0.1, 12);
    // printed: int8 add 0.03, int32 mul 3.1
    expect(integerAdd(8)).toBeCloseTo(0.03, 2);
    expect(integerMultiply(32, 32) / 3.1).toBeCloseTo(1.03, 2);
  });
});

describe("modelled energy", () => {
  // field.md §5.1: multiply-accumulates, parameters; fp32 and int8 arithmetic, weights once at 32, 8 and 4 bits, all in mJ
  test.each([
    ["ResNet-50", 4.089e9, 25.56e6, 18.81, 1.227, 16.36, 4.09, 2.04],
    ["MobileNetV2", 0.301e9, 3.5e6, 1.38, 0.09, 2.24, 0.56, 0.28],
    ["VGG-16", 15.47e9, 138.36e6, 71.16, 4.64, 88.55, 22.14, 11.07],
  ])(
    "of %s is what the published counts give",
    (_, macs, parameters, arithmetic32, arithmetic8, weights32, weights8, weights4) => {
      const [a, b, c] = [
        energyOf(work(macs, 4 * parameters, float), 640),
        energyOf(work(macs, parameters, int8), 640),
        energyOf(work(macs, parameters / 2, int8), 640),
      ];
      const near = (value: number, printed: number) =>
        expect(value / printed, `${value} against ${printed}`).toBeCloseTo(1, 2);
      near(a.products, arithmetic32);
      near(b.products, arithmetic8);
      near(a.weights, weights32);
      near(b.weights, weights8);
      near(c.weights, weights4);
    },
  );

  test("int8 products save 93.5 % of float32's", () => {
    expect(1 - energyOf(work(1e9, 0, int8), 640).total / energyOf(work(1e9, 0, float), 640).total).toBeCloseTo(
      0.935,
      3,
    );
  });

  const weights = fromNumbers(
    "int8",
    [64, 64],
    Array.from({ length: 4096 }, (_, i) => (i % 7) - 3),
  );
  const decoded = (op: "DequantizeLinear" | "Mul") =>
    modelOf({
      inputs: { x: ["float32", [1, 64]] },
      outputs: ["y"],
      nodes: [
        ...(op === "Mul"
          ? [createNode("Cast", ["w"], ["f"], { to: 1 }), createNode("Mul", ["f", "s"], ["d"])]
          : [
              createNode("QuantizeLinear", ["x", "s", "z"], ["q"]),
              createNode("DequantizeLinear", ["q", "s", "z"], ["xd"]),
              createNode("DequantizeLinear", ["w", "s"], ["d"]),
            ]),
        createNode("MatMul", [op === "Mul" ? "x" : "xd", "d"], ["y"]),
      ],
      weights: { w: weights, s: float32([], [0.5]), z: fromNumbers("uint8", [], [128]) },
    });
  const plain = modelOf({
    inputs: { x: ["float32", [1, 64]] },
    outputs: ["y"],
    nodes: [createNode("MatMul", ["x", "w"], ["y"])],
    weights: {
      w: float32(
        [64, 64],
        Array.from({ length: 4096 }, () => 1),
      ),
    },
  });

  test("weights that runtimes decode at load cost what floats cost", async () => {
    const [a, b] = [await modelEnergy(plain), await modelEnergy(decoded("Mul"))];
    expect(b.total).toBe(a.total);
    expect(a).toMatchObject({ macs: 4096, weightBytes: 4 * 4096, activationBytes: 4 * 128 });
    expect(a.weights).toBeCloseTo(4096 * 640e-9, 12);
    expect(a.products).toBeCloseTo(4096 * 4.6e-9, 12);
    expect(a.nodes).toMatchObject([{ op: "MatMul", arithmetic: "float32", macs: 4096 }]);
  });

  test("codes cost a quarter, and the saving is told for other prices of DRAM", async () => {
    const found = await compareEnergy(plain, decoded("DequantizeLinear"));
    expect(found.label).toBe("modelled");
    expect(found.model).toMatch(
      /^Horowitz 45 nm, DRAM 640 pJ \/ 32 bit; .*decoded at load: as float32.*saving \d+ % to \d+ % for DRAM 200 to 1300 pJ$/,
    );
    expect(found.quantized.weights / found.float.weights).toBeCloseTo((4096 + 4 + 1 + 4) / (4 * 4096), 2);
    expect(found.saving).toBeCloseTo(1 - found.quantizedMilliJoule / found.floatMilliJoule, 12);
    expect(found.sensitivity.map(({ dramPicojoule }) => dramPicojoule)).toEqual([200, 640, 1300]);
    expect(found.sensitivity[1].saving).toBe(found.saving);
    // with free memory only arithmetic is left, with dear memory only bytes
    const cheap = await compareEnergy(plain, decoded("DequantizeLinear"), { dramPicojoule: 0 });
    expect(cheap.floatMilliJoule).toBeCloseTo(4096 * 4.6e-9, 12);
  });

  test("what was assumed and what could not be counted is in the text", async () => {
    const open = {
      ...plain,
      graph: {
        ...plain.graph,
        inputs: modelOf({ inputs: { x: ["float32", ["n", "seq", 64]] }, outputs: [], nodes: [] }).graph.inputs,
      },
    };
    expect((await compareEnergy(open, open)).model).toContain("taken as x [1, 1, 64]");
    const strange = modelOf({
      inputs: { x: ["float32", [4]] },
      outputs: ["y"],
      nodes: [createNode("Magic", ["x"], ["y"], {}, { domain: "abc" })],
    });
    expect((await compareEnergy(strange, strange)).model).toContain("2 operators or sizes not known and not counted");
  });
});
