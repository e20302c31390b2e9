import { expect, test } from "vitest";
import type { Session } from "#model/session";
import { float32 } from "#model/tensor";
import { proveQuality } from "#verbs/prove";

/** Scores of three classes for sample `i`. */
type Scores = (i: number) => readonly [number, number, number];

function session(scores: Scores): Session {
  return {
    runtime: "none",
    inputNames: ["x"],
    outputNames: ["y"],
    run: async ({ x }) => ({ y: float32([1, 3], [...scores(Number(x.data[0]))]) }),
    time: async () => new Float64Array(1),
    close: async () => {},
  };
}

const data = {
  name: "numbers",
  length: 10,
  sample: async (i: number) => ({ inputs: { x: float32([1], [i]) }, id: `#${i}` }),
};
const proof = (float: Scores, quantized: Scores, thresholds = {}) =>
  proveQuality({ float: session(float), quantized: session(quantized), data, ...thresholds });
const parent: Scores = (i) => [i, 4.5, 1];

test("a model that gives its parent's answers is proved", async () => {
  const { quality } = await proof(parent, (i) => [i + 0.1, 4.5, 1]);
  expect(quality.agreement).toBe(1);
});

test("a model that agrees too seldom is refused, unless less is asked for", async () => {
  const wrongTwice: Scores = (i) => [i, i < 2 ? -9 : 4.5, 1];
  await expect(proof(parent, wrongTwice)).rejects.toMatchObject({ code: "proof/agreement" });
  expect((await proof(parent, wrongTwice, { minAgreement: 0.8 })).quality.agreement).toBe(0.8);
});

test("a model that lost its input is refused, though it always agrees with a parent that knows one answer", async () => {
  const oneAnswer: Scores = (i) => [9, i, -i];
  await expect(proof(oneAnswer, () => [9, 0, 0])).rejects.toMatchObject({ code: "proof/agreement" });
  expect((await proof(oneAnswer, (i) => [9, i - 0.1, -i])).quality.agreement).toBe(1);
});

test("nothing is proved on a parent that does not look at its input", async () => {
  const blind: Scores = () => [0, 0, 0];
  await expect(proof(blind, blind)).rejects.toMatchObject({
    code: "proof/constant",
    hint: expect.stringMatching(/real/),
  });
});

test("NaN where the parent has none is refused", async () => {
  const overflowing = proof(parent, (i) => [i, Number.NaN, 1]);
  await expect(overflowing).rejects.toMatchObject({ code: "proof/output" });
});
