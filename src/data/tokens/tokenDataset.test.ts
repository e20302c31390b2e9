import { describe, expect, test } from "vitest";
import { defaultLimits } from "#base/limits";
import { decodePlain } from "#data/images/decodePlain";
import { tokenDataset } from "#data/tokens/tokenDataset";
import type { Dataset, ModelInput } from "#data/types";
import { int64 } from "#model/tensor";

const ids: ModelInput = { name: "input_ids", type: "int64", dims: ["batch", "seq"] };
const options = { inputs: [ids], limits: defaultLimits, decodeImage: decodePlain };
const text = (size: number): number[] => Array.from({ length: size }, (_, i) => 100 + i);
const windows = async (data: Dataset) =>
  Promise.all(Array.from({ length: data.length }, async (_, i) => data.sample(i)));

describe("token windows", () => {
  test("a short text is one sample: its tokens, and for each position the next", async () => {
    const [sample, ...rest] = await windows(tokenDataset("a", "tokens", [[1, 9, 8, 7]], options));
    expect(rest).toEqual([]);
    expect(sample).toEqual({
      inputs: { input_ids: int64([1, 4], [1, 9, 8, 7]) },
      targets: Int32Array.of(9, 8, 7, -1),
      id: "a#0:0",
    });
  });

  test.each([
    [10, 4, 4],
    [11, 4, 4],
    [12, 4, 4],
    [13, 4, 4],
    [13, 4, 1],
    [30, 8, 3],
    [9, 2, 1],
  ])(
    "of %i tokens in windows of %i, %i apart, each but the first is judged exactly once",
    async (size, sequenceLength, stride) => {
      const judged: number[] = [];
      for (const { inputs, targets } of await windows(
        tokenDataset("a", "tokens", [text(size)], { ...options, sequenceLength, stride }),
      )) {
        const tokens = inputs.input_ids.data as BigInt64Array;
        targets?.forEach((target, i) => {
          if (target < 0) return;
          expect(target).toBe(Number(tokens[i]) + 1); // the token that comes next in the text
          judged.push(target);
        });
      }
      expect(judged.sort((a, b) => a - b)).toEqual(text(size).slice(1));
    },
  );

  test("a model of fixed length gets full windows, and is told what was left out", async () => {
    const data = tokenDataset("a", "tokens", [text(9), text(3)], { ...options, inputs: [{ ...ids, dims: [1, 4] }] });
    expect((await windows(data)).map(({ inputs }) => inputs.input_ids.dims)).toEqual([
      [1, 4],
      [1, 4],
    ]);
    expect(data.diagnostics).toEqual([expect.objectContaining({ code: "data/short" })]);
  });

  test("int32 models get int32, models without a batch axis none", async () => {
    const inputs: ModelInput[] = [{ name: "tokens", type: "int32", dims: ["seq"] }];
    const [sample] = await windows(tokenDataset("a", "tokens", [[5, 6]], { ...options, inputs }));
    expect(sample.inputs).toEqual({ tokens: { type: "int32", dims: [2], data: Int32Array.of(5, 6) } });
  });

  test("what exported transformers want beside the ids is made", async () => {
    const inputs: ModelInput[] = [
      ids,
      { name: "attention_mask", type: "int64", dims: ["batch", "seq"] },
      { name: "position_ids", type: "int64", dims: ["batch", "seq"] },
      { name: "token_type_ids", type: "int64", dims: ["batch", "seq"] },
      { name: "past_key_values.0.key", type: "float32", dims: ["batch", 4, "past", 16] },
      { name: "use_cache_branch", type: "bool", dims: [1] },
    ];
    const [sample] = await windows(tokenDataset("a", "tokens", [[5, 6, 7]], { ...options, inputs }));
    expect(sample.inputs).toEqual({
      input_ids: int64([1, 3], [5, 6, 7]),
      attention_mask: int64([1, 3], [1, 1, 1]),
      position_ids: int64([1, 3], [0, 1, 2]),
      token_type_ids: int64([1, 3], [0, 0, 0]),
      "past_key_values.0.key": { type: "float32", dims: [1, 4, 0, 16], data: new Float32Array(0) },
      use_cache_branch: { type: "bool", dims: [1], data: Uint8Array.of(0) },
    });
  });

  test.each<[string, () => Dataset, string]>([
    [
      "a model of images",
      () =>
        tokenDataset("a", "tokens", [[1, 2]], {
          ...options,
          inputs: [{ name: "x", type: "float32", dims: ["N", 3, 8, 8] }],
        }),
      "data/shape",
    ],
    ["texts of one token", () => tokenDataset("a", "tokens", [[1], []], options), "data/none"],
    [
      "texts shorter than a fixed length",
      () => tokenDataset("a", "tokens", [[1, 2]], { ...options, inputs: [{ ...ids, dims: [1, 9] }] }),
      "data/none",
    ],
    [
      "another length than the model's",
      () =>
        tokenDataset("a", "tokens", [text(99)], { ...options, sequenceLength: 8, inputs: [{ ...ids, dims: [1, 9] }] }),
      "data/shape",
    ],
    [
      "a stride that skips tokens",
      () => tokenDataset("a", "tokens", [text(99)], { ...options, sequenceLength: 8, stride: 9 }),
      "usage/argument",
    ],
    [
      "windows of one token",
      () => tokenDataset("a", "tokens", [text(99)], { ...options, sequenceLength: 1 }),
      "usage/argument",
    ],
  ])("%s: refused", (_, make, code) => {
    expect(make).toThrow(expect.objectContaining({ code }));
  });

  test("an input whose meaning is not known is told by name", async () => {
    const inputs: ModelInput[] = [ids, { name: "pixel_values", type: "float32", dims: ["N", 3, 8, 8] }];
    await expect(tokenDataset("a", "tokens", [[1, 2]], { ...options, inputs }).sample(0)).rejects.toMatchObject({
      code: "data/shape",
      at: { tensor: "pixel_values" },
    });
  });
});
