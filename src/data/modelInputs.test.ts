import { describe, expect, test } from "vitest";
import { modelInputs } from "#data/modelInputs";
import type { Model, ValueInfo } from "#model/model";

const none: ReadonlyMap<string, string> = new Map();
const model = (...inputs: readonly ValueInfo[]): Model => ({
  irVersion: 8,
  opsets: new Map([["", 13]]),
  graph: {
    name: "g",
    nodes: [],
    inputs,
    outputs: [],
    initializers: new Map(),
    values: new Map(),
    doc: "",
    metadata: none,
  },
  functions: [],
  producer: { name: "", version: "" },
  domain: "",
  modelVersion: 0,
  doc: "",
  metadata: none,
});
const info = (name: string, type: ValueInfo["type"]): ValueInfo => ({ name, type, doc: "", metadata: none });

describe("what a model takes", () => {
  test("is the name, the type and the dims of each input", () => {
    const image = info("x", { kind: "tensor", element: "float32", shape: ["N", 3, 8, null] });
    const scalar = info("rate", { kind: "tensor", element: "int64", shape: undefined });
    expect(modelInputs(model(image, scalar))).toEqual([
      { name: "x", type: "float32", dims: ["N", 3, 8, null] },
      { name: "rate", type: "int64", dims: undefined },
    ]);
  });

  test.each<[string, ValueInfo["type"]]>([
    ["nothing known", undefined],
    ["a sequence", { kind: "sequence", of: { kind: "tensor", element: "float32", shape: [] } }],
    ["elements of a newer ONNX", { kind: "tensor", element: undefined, shape: [1], code: 99 }],
  ])("%s is refused by name", (_, type) => {
    expect(() => modelInputs(model(info("x", type)))).toThrow(
      expect.objectContaining({ code: "data/unsupported", at: { tensor: "x" } }),
    );
  });
});
