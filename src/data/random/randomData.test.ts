import { describe, expect, test } from "vitest";
import { randomData } from "#data/random/randomData";
import type { ModelInput } from "#data/types";

const inputs: ModelInput[] = [
  { name: "image", type: "float32", dims: ["N", 3, "side", "side"] },
  { name: "ids", type: "int64", dims: [1, null] },
  { name: "flag", type: "bool", dims: [] },
];

describe("made-up data", () => {
  const data = randomData(inputs, { seed: 5, samples: 4, dims: { side: 40 } });

  test("says that it is made up", () => {
    expect([data.kind, data.name, data.labelled]).toEqual(["random", "random", false]);
    expect(data.diagnostics).toEqual([expect.objectContaining({ code: "data/random", level: "warning" })]);
  });

  test("has the model's shapes, open axes being 1 unless given", async () => {
    const { inputs: feeds } = await data.sample(0);
    expect(Object.values(feeds).map(({ type, dims }) => [type, dims])).toEqual([
      ["float32", [1, 3, 40, 40]],
      ["int64", [1, 1]],
      ["bool", []],
    ]);
  });

  test("is standard normal, whole numbers are 0 or 1", async () => {
    const x = (await data.sample(1)).inputs.image.data as Float32Array;
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
    // 4,800 values: standard errors of 0.0144 and 0.0204; five of each
    expect(Math.abs(mean)).toBeLessThan(0.072);
    expect(Math.abs(variance - 1)).toBeLessThan(0.102);
    expect([0n, 1n]).toContain((await data.sample(1)).inputs.ids.data[0]);
  });

  test("has ids of a whole vocabulary where one is named", async () => {
    const words: ModelInput[] = [{ name: "ids", type: "int64", dims: [1, 400] }];
    const { ids } = (await randomData(words, { seed: 5, samples: 1, below: { ids: 9 } }).sample(0)).inputs;
    expect(new Set(ids.data as BigInt64Array)).toEqual(new Set([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]));
  });

  test("the same seed gives the same samples in any order, another seed others", async () => {
    const again = randomData(inputs, { seed: 5, samples: 4, dims: { side: 40 } });
    expect(await again.sample(3)).toEqual(await data.sample(3));
    expect((await data.sample(2)).inputs.image).not.toEqual((await data.sample(3)).inputs.image);
    const other = randomData(inputs, { seed: 6, samples: 4, dims: { side: 40 } });
    expect((await other.sample(3)).inputs.image).not.toEqual((await data.sample(3)).inputs.image);
  });
});
