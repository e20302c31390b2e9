import { expect, test } from "vitest";
import type { Model } from "#model/model";
import type { OpenSession } from "#model/session";
import { measureKernelSpeeds } from "#targets/kernelSpeeds";
import { costsFromJson, costsToJson, emptyCosts } from "#targets/hostCosts";

/** Sessions that take 4 ms in float and 1 ms on codes, except for every other turn, in which a neighbour disturbs them. */
function pretended(log: { model: Model; open: boolean }[]): OpenSession {
  return async (model) => {
    const entry = { model, open: true };
    log.push(entry);
    const quantized = model.graph.nodes.some(({ op }) => /^(QuantizeLinear|MatMulNBits)$/.test(op));
    let turn = 0;
    return {
      runtime: "test 1",
      inputNames: [],
      outputNames: [],
      run: async () => ({}),
      time: async (_, rounds) => new Float64Array(rounds).fill((quantized ? 1 : 4) * (turn++ % 2 === 0 ? 3 : 1)),
      async close() {
        entry.open = false;
      },
    };
  };
}

test("every layer is timed in float and quantized, by the turns that nobody disturbed", async () => {
  const log: { model: Model; open: boolean }[] = [];
  const stages: number[] = [];
  const speeds = await measureKernelSpeeds(pretended(log), { onProgress: ({ done }) => stages.push(done) });
  expect(speeds.map(({ id }) => id)).toEqual([
    "Conv-3x3",
    "Conv-1x1",
    "Conv-depthwise",
    "MatMul-row",
    "MatMul-rows",
    "MatMulNBits-4-row",
    "MatMulNBits-4-rows",
    "Softmax",
  ]);
  for (const speed of speeds) expect(speed).toMatchObject({ floatMs: 4, quantizedMs: 1 });
  expect(log.map(({ open }) => open)).toEqual(log.map(() => false));
  expect(stages).toEqual(speeds.map((_, i) => i));
  const fourBits = log.filter(({ model }) => model.graph.nodes.some(({ op }) => op === "MatMulNBits"));
  expect(fourBits).toHaveLength(2);
  expect(fourBits[0].model.graph.nodes[0].attributes.get("accuracy_level")).toMatchObject({ value: 4 });

  // and kept beside the other costs of the host
  const table = { ...emptyCosts("test"), speeds };
  expect(costsFromJson(costsToJson(table))).toEqual(table);
});

test("can be stopped between two layers", async () => {
  const controller = new AbortController();
  const stop = measureKernelSpeeds(pretended([]), {
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await expect(stop).rejects.toMatchObject({ code: "run/interrupted" });
});
