import { describe, expect, test } from "vitest";
import { dataFromArrays } from "#data/dataFromArrays";
import type { ModelInput } from "#data/types";
import { float32, int64, type Tensor } from "#model/tensor";

const x: ModelInput = { name: "x", type: "float32", dims: ["N", 2] };
const numbers = float32([3, 2], [1, 2, 3, 4, 5, 6]);
const photos: Tensor = {
  type: "uint8",
  dims: [2, 1, 2, 3],
  data: Uint8Array.of(0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6),
};
const image: ModelInput = { name: "x", type: "float32", dims: [1, 3, 1, 2] };

describe("arrays in memory", () => {
  test("are samples along their first axis", async () => {
    const data = dataFromArrays({ x: numbers }, { inputs: [x], labels: [7, 8, 9] });
    expect([data.length, data.labelled]).toEqual([3, true]);
    expect(await data.sample(1)).toEqual({ inputs: { x: float32([1, 2], [3, 4]) }, label: 8, id: "arrays#1" });
  });

  test("feed several inputs by name", async () => {
    const ids: ModelInput = { name: "ids", type: "int32", dims: ["N"] };
    const data = dataFromArrays({ ids: int64([3], [4, 5, 6]), x: numbers }, { inputs: [x, ids] });
    expect((await data.sample(2)).inputs).toEqual({
      x: float32([1, 2], [5, 6]),
      ids: { type: "int32", dims: [1], data: Int32Array.of(6) },
    });
  });

  test("may be taken in part, spread evenly", async () => {
    const data = dataFromArrays({ x: numbers }, { inputs: [x], samples: 2 });
    expect([data.length, (await data.sample(1)).id]).toEqual([2, "arrays#2"]);
  });

  test("images of bytes are preprocessed when asked, channels last or first", async () => {
    const last = dataFromArrays({ x: photos }, { inputs: [image], preprocess: "unit" });
    expect((await last.sample(0)).inputs.x.data).toEqual(Float32Array.of(0, 0.6, 0.2, 0.8, 0.4, 1));
    const planes: Tensor = { type: "uint8", dims: [1, 3, 1, 2], data: Uint8Array.of(0, 153, 51, 204, 102, 255) };
    const first = dataFromArrays({ x: planes }, { inputs: [image], preprocess: "unit" });
    expect((await first.sample(0)).inputs).toEqual((await last.sample(0)).inputs);
    expect(last.preprocess?.name).toBe("unit");
  });

  test("a name that every object has is an input like any other", async () => {
    const odd: ModelInput = { ...x, name: "__proto__" };
    const data = dataFromArrays(Object.fromEntries([["__proto__", numbers]]), { inputs: [odd] });
    expect(Object.keys((await data.sample(0)).inputs)).toEqual(["__proto__"]);
    expect(() => dataFromArrays({}, { inputs: [{ ...x, name: "constructor" }] })).toThrow(
      /no array for input constructor/,
    );
  });

  test.each<[string, () => unknown, string]>([
    [
      "of other lengths",
      () => dataFromArrays({ x: numbers, y: float32([2, 2], [1, 2, 3, 4]) }, { inputs: [x, { ...x, name: "y" }] }),
      "data/shape",
    ],
    ["without samples", () => dataFromArrays({ x: float32([0, 2], []) }, { inputs: [x] }), "data/none"],
    ["that are one number", () => dataFromArrays({ x: float32([], [1]) }, { inputs: [x] }), "data/shape"],
    ["with too few labels", () => dataFromArrays({ x: numbers }, { inputs: [x], labels: [1] }), "data/labels"],
    [
      "that are no bytes, to be preprocessed",
      () => dataFromArrays({ x: numbers }, { inputs: [x], preprocess: "unit" }),
      "usage/argument",
    ],
    ["of the wrong shape", () => dataFromArrays({ x: float32([1, 3], [1, 2, 3]) }, { inputs: [x] }), "data/shape"],
  ])("%s are refused", (_, make, code) => {
    expect(make).toThrow(expect.objectContaining({ code }));
  });
});
