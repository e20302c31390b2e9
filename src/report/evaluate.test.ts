import { describe, expect, test } from "vitest";
import type { Session } from "#model/session";
import { float32, int64, type Tensor } from "#model/tensor";
import { type EvaluateOptions, type EvaluationData, evaluate } from "#report/evaluate";

type Outputs = Record<string, Tensor>;

/** A session that answers with a function of the sample's number. */
function session(answer: (sample: number) => Outputs): Session {
  return {
    runtime: "none",
    inputNames: ["x"],
    outputNames: [],
    run: async ({ x }) => answer(Number(x.data[0])),
    time: async () => new Float64Array(1),
    close: async () => {},
  };
}

const data = (length: number, label?: number): EvaluationData => ({
  name: "numbers",
  length,
  sample: async (i) => ({ inputs: { x: float32([1], [i]) }, id: `#${i}`, ...(label === undefined ? {} : { label }) }),
});

const judged = (
  float: (sample: number) => Outputs,
  quantized: (sample: number) => Outputs,
  samples = data(4),
  options: EvaluateOptions = {},
) => evaluate({ float: session(float), quantized: session(quantized) }, samples, options);

const scores = (...values: number[]): Tensor => float32([1, values.length], values);

describe("a model against its float parent", () => {
  test("agrees where the greatest score is the same class", async () => {
    const { quality, diagnostics } = await judged(
      (i) => ({ y: scores(i, 1.5) }),
      (i) => ({ y: scores(i, i === 3 ? 9 : 1.4) }),
    );
    expect(quality).toMatchObject({ metric: "agreement", agreement: 0.75, samples: 4 });
    expect(diagnostics).toEqual([]);
  });

  test("keeps 20 dB of a signal with a tenth of noise", async () => {
    const { quality } = await judged(
      (i) => ({ image: float32([1, 2, 2], [i, 2, 3, 4]) }),
      (i) => ({ image: float32([1, 2, 2], [1.1 * i, 2.2, 3.3, 4.4]) }),
    );
    expect(quality).toMatchObject({ metric: "sqnr", agreement: null });
    expect(quality.logitSqnrDb).toBeCloseTo(20, 4);
  });

  test("is judged by all outputs where there are several, and by the first where an answer is asked for", async () => {
    const both = (i: number): Outputs => ({ scores: scores(i, 1.5), boxes: float32([1, 4], [i, 1, 1, 1]) });
    expect((await judged(both, both)).quality.agreement).toBeNull();
    expect((await judged(both, both, data(4, 1))).quality).toMatchObject({ metric: "top1", float: 0.5, agreement: 1 });
    expect((await judged(both, both, data(4), { metric: "agreement" })).quality.agreement).toBe(1);
    expect((await judged(both, both, data(4), { output: "boxes" })).quality.agreement).toBe(1);
  });

  test("that puts out class ids agrees on the share of equal ones", async () => {
    const { quality } = await judged(
      (i) => ({ mask: int64([1, 2, 2], [i, 1, 2, 3]) }),
      (i) => ({ mask: int64([1, 2, 2], [i, 1, 2, i]) }),
    );
    expect(quality).toMatchObject({ metric: "agreement", agreement: (3 * 3 + 4) / 16 });
  });

  test("is not broken by a NaN that the parent has too, and is by its own", async () => {
    const parent = (i: number): Outputs => ({ y: scores(i, 1.5, Number.NaN) });
    expect((await judged(parent, parent)).diagnostics.map(({ code }) => code)).toEqual([]);
    const { quality, diagnostics } = await judged(
      (i) => ({ y: scores(i, 1) }),
      (i) => ({ y: scores(i, i === 2 ? Number.NaN : 1) }),
    );
    expect(quality.logitSqnrDb).toBe(Number.NEGATIVE_INFINITY);
    expect(diagnostics).toMatchObject([{ code: "proof/non-finite", at: { file: "#2" } }]);
  });

  test("proves nothing where the parent always puts out the same", async () => {
    const same = (value: number) => (): Outputs => ({ y: scores(value, 1) });
    for (const value of [0, 5, Number.NaN])
      expect((await judged(same(value), same(value))).diagnostics).toMatchObject([{ code: "proof/constant" }]);
  });

  test("says little by agreement where the parent always gives the same class", async () => {
    const parent = (i: number): Outputs => ({ y: scores(9, i) });
    expect((await judged(parent, parent)).diagnostics).toMatchObject([{ code: "proof/one-answer" }]);
  });

  test("has outputs of its parent's size", async () => {
    const wrong = judged(
      () => ({ y: scores(1, 2) }),
      () => ({ y: scores(1, 2, 3) }),
    );
    await expect(wrong).rejects.toMatchObject({ code: "proof/output", at: { tensor: "y", file: "#0" } });
  });
});
