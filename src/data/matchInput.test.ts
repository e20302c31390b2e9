import { describe, expect, test } from "vitest";
import { matchInput } from "#data/matchInput";
import type { ModelInput } from "#data/types";
import type { Dim } from "#model/model";
import { type ElementType, fromNumbers, sizeOf, type Tensor } from "#model/tensor";

const input = (type: ElementType, dims: readonly Dim[] | undefined): ModelInput => ({ name: "x", type, dims });
const rows = (type: ElementType, dims: readonly number[]) => ({ name: "data.npy", type, dims });
const fed = (type: ElementType, dims: readonly number[], to: ModelInput): Tensor =>
  matchInput(rows(type, dims), to).apply(
    fromNumbers(
      type,
      dims,
      Array.from({ length: sizeOf(dims) }, (_, i) => i),
    ),
  );

describe("shapes", () => {
  test.each<[string, number[], readonly Dim[] | undefined, number[]]>([
    ["a batch axis is put in front", [3, 224, 224], ["N", 3, 224, 224], [1, 3, 224, 224]],
    ["a batch axis that is there stays", [1, 3, 8, 8], ["N", 3, 8, 8], [1, 3, 8, 8]],
    ["axes of length one come", [49, 10], ["N", 1, 49, 10], [1, 1, 49, 10]],
    ["axes of length one go", [1, 13], ["batch", 13], [1, 13]],
    ["free axes take any length", [57, 161], ["N", "frames", 161], [1, 57, 161]],
    ["an unknown axis takes any length", [5, 4], [null, null, 4], [1, 5, 4]],
    ["0 and −1 of old exporters are free", [13], [0, 13], [1, 13]],
    ["nothing known: a batch axis is put in front", [7], undefined, [1, 7]],
    ["a number is a number", [], [], []],
  ])("%s", (_, sample, dims, want) => {
    expect(fed("float32", sample, input("float32", dims)).dims).toEqual(want);
  });

  test.each<[string, number[], readonly Dim[], RegExp]>([
    ["another size", [3, 32, 32], ["N", 3, 224, 224], /float32 \[3, 32, 32\].*float32 \[N, 3, 224, 224\]/],
    ["another number of channels", [1, 28, 28], ["N", 3, 28, 28], /\[1, 28, 28\].*\[N, 3, 28, 28\]/],
    ["another rank", [784], ["N", 1, 28, 28], /\[784\].*\[N, 1, 28, 28\]/],
  ])("%s is refused with both shapes", (_, sample, dims, message) => {
    expect(() => matchInput(rows("float32", sample), input("float32", dims))).toThrow(
      expect.objectContaining({
        code: "data/shape",
        at: { file: "data.npy", tensor: "x" },
        message: expect.stringMatching(message),
      }),
    );
  });

  test.each<[string, number[], readonly Dim[], RegExp]>([
    ["channels last for channels first", [224, 224, 3], ["N", 3, 224, 224], /moveaxis\(x, -1, 1\)/],
    ["channels first for channels last", [3, 224, 224], ["N", 224, 224, 3], /moveaxis\(x, 1, -1\)/],
    ["a model with a batch of eight", [3, 8, 8], [8, 3, 8, 8], /8 samples at once/],
  ])("%s: the hint says so", (_, sample, dims, hint) => {
    expect(() => matchInput(rows("float32", sample), input("float32", dims))).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(hint) }),
    );
  });
});

describe("types", () => {
  test("numbers are fed as the model's float type, and whole numbers are told of", () => {
    expect(fed("float64", [2], input("float32", [2])).data).toEqual(Float32Array.of(0, 1));
    expect(fed("uint8", [2], input("float16", [2])).data).toEqual(Uint16Array.of(0, 0x3c00));
    expect(matchInput(rows("uint8", [2]), input("float32", [2])).diagnostics).toEqual([
      expect.objectContaining({ code: "data/cast", hint: expect.stringContaining("unit") }),
    ]);
    expect(matchInput(rows("float64", [2]), input("float32", [2])).diagnostics).toEqual([]);
  });

  test("whole numbers change width when they fit", () => {
    expect(fed("int64", [3], input("int32", [3])).data).toEqual(Int32Array.of(0, 1, 2));
    expect(fed("int32", [3], input("int64", [3])).data).toEqual(BigInt64Array.of(0n, 1n, 2n));
  });

  test("a number that does not fit is refused, not wrapped", () => {
    const { apply } = matchInput(rows("int64", [1]), input("int32", [1]));
    expect(() => apply({ type: "int64", dims: [1], data: BigInt64Array.of(2n ** 31n) })).toThrow(
      /2147483648 does not fit int32/,
    );
    const bytes = matchInput(rows("int8", [1]), input("uint8", [1]));
    expect(() => bytes.apply({ type: "int8", dims: [1], data: Int8Array.of(-1) })).toThrow(/-1 does not fit uint8/);
  });

  test.each<[ElementType, ElementType]>([
    ["float32", "int64"],
    ["float32", "uint8"],
    ["complex64", "float32"],
    ["int64", "bool"],
  ])("%s does not stand for %s", (from, to) => {
    expect(() => matchInput(rows(from, [2]), input(to, [2]))).toThrow(expect.objectContaining({ code: "data/shape" }));
  });
});
