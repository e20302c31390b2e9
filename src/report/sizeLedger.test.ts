import { describe, expect, test } from "vitest";
import { onnxBytes, readOnnx } from "#formats/onnx/index";
import { bytesSource } from "#base/bytes";
import { createNode } from "#model/attributes";
import { type ElementType, float32, fromNumbers, int64, type Tensor } from "#model/tensor";
import { ledgerOf, sizeLedger } from "#report/sizeLedger";
import { modelOf } from "../../test/modelBuilder";

const codes = (type: ElementType, dims: readonly number[], at: (i: number) => number): Tensor =>
  fromNumbers(
    type,
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => at(i)),
  );

const float = modelOf({
  inputs: { x: ["float32", [1, 16]] },
  outputs: ["y"],
  nodes: [createNode("MatMul", ["x", "w"], ["y"])],
  weights: { w: codes("float32", [16, 16], (i) => i / 100) },
});

/** The same with 4-bit codes that take two values, one four times as often as the other. */
const quantized = modelOf({
  inputs: { x: ["float32", [1, 16]] },
  outputs: ["y"],
  nodes: [createNode("DequantizeLinear", ["w_q", "w_s"], ["w_dq"]), createNode("MatMul", ["x", "w_dq"], ["y"])],
  weights: { w_q: codes("int4", [16, 16], (i) => (i % 5 === 0 ? 3 : -2)), w_s: float32([], [0.5]) },
});

describe("the size ledger", () => {
  test("tells each weight with its scale, and the structure that is left", async () => {
    const bytes = (await onnxBytes(quantized)).length;
    const { rows, entropyCodedBytes } = await sizeLedger(quantized, bytes);
    // 52 of 256 codes are the rarer one
    const bits = 52 * Math.log2(256 / 52) + 204 * Math.log2(256 / 204);
    expect(rows).toEqual(
      [
        {
          tensor: "structure",
          shape: [],
          scheme: "structure",
          bytes: bytes - 132,
          floatBytes: bytes - 132,
          entropyCodedBytes: bytes - 132,
        },
        {
          tensor: "w",
          shape: [16, 16],
          scheme: "int4/tensor",
          bytes: 132,
          floatBytes: 1024,
          entropyCodedBytes: 4 + Math.ceil(bits / 8),
          bitsPerWeight: { nominal: 4, stored: 132 / 32, entropyCoded: (4 + Math.ceil(bits / 8)) / 32 },
        },
      ].reverse(),
    );
    expect(entropyCodedBytes).toBe(bytes - 128 + Math.ceil(bits / 8));
  });

  test("beside its float parent, adds up to both files", async () => {
    const [before, after] = [(await onnxBytes(float)).length, (await onnxBytes(quantized)).length];
    const size = await ledgerOf({ model: float, bytes: before }, { model: quantized, bytes: after });
    expect(size.ratio).toBe(before / after);
    expect(size.ledger.reduce((sum, row) => sum + row.bytes, 0)).toBe(after);
    expect(size.ledger.reduce((sum, row) => sum + row.floatBytes, 0)).toBe(before);
  });

  test("float weights are worth what they take: their entropy is not looked at", async () => {
    const { rows, entropyCodedBytes } = await sizeLedger(float, 2000);
    expect(rows.map(({ tensor, bytes, scheme }) => [tensor, bytes, scheme])).toEqual([
      ["w", 1024, "float32"],
      ["structure", 976, "structure"],
    ]);
    expect(entropyCodedBytes).toBe(2000);
  });

  test("integers that a file keeps shorter than packed take back what was counted too much", async () => {
    const model = modelOf({
      inputs: { x: ["float32", [1, 16]] },
      outputs: ["y"],
      nodes: [createNode("Reshape", ["x", "dims"], ["y"])],
      weights: {
        dims: int64(
          [100],
          Array.from({ length: 100 }, () => 1),
        ),
      },
    });
    const { rows } = await sizeLedger(model, 500);
    expect(rows.map(({ tensor, bytes }) => [tensor, bytes])).toEqual([
      ["dims", 500],
      ["structure", 0],
    ]);
  });

  test("weights read from a file are counted from their places, shared ones once", async () => {
    const bytes = await onnxBytes(quantized);
    const { rows } = await sizeLedger(await readOnnx(bytesSource(bytes)), bytes.length);
    expect(rows.reduce((sum, row) => sum + row.bytes, 0)).toBe(bytes.length);
    const range = { kind: "range", source: bytesSource(new Uint8Array(4096)), offset: 0, length: 4096 } as const;
    const tensor = { name: "", element: "float32", dims: [32, 32], data: range, doc: "", metadata: new Map() } as const;
    const twice = modelOf({
      inputs: { x: ["float32", [1, 32]] },
      outputs: ["y"],
      nodes: [createNode("MatMul", ["x", "a"], ["m"]), createNode("MatMul", ["m", "b"], ["y"])],
    });
    const tied = {
      ...twice,
      graph: {
        ...twice.graph,
        initializers: new Map([
          ["a", { ...tensor, name: "a" }],
          ["b", { ...tensor, name: "b" }],
        ]),
      },
    };
    expect((await sizeLedger(tied, 5000)).rows.map((row) => [row.tensor, row.bytes])).toEqual([
      ["a", 4096],
      ["structure", 904],
    ]);
  });
});
