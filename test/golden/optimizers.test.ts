/** Training steps against PyTorch's optimizers; bench/peers/make_optimizer_fixtures.py makes the file. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { OptimizerName } from "#grad/optimizers";
import { trainingStep, type TrainingStep } from "#grad/trainingStep";
import { createNode } from "#model/attributes";
import { type Tensor, toNumbers } from "#model/tensor";
import { createReferenceSession } from "#runtimes/reference/reference";
import { modelOf } from "../modelBuilder";

interface Golden {
  readonly source: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly w: readonly number[];
  readonly b: readonly number[];
  readonly cases: readonly {
    readonly name: OptimizerName;
    readonly options: Readonly<Record<string, number | boolean>>;
    readonly learningRate: number;
    readonly clipNorm: number | null;
    readonly losses: readonly number[];
    readonly w: readonly number[];
    readonly b: readonly number[];
  }[];
}

const golden = JSON.parse(readFileSync(new URL("./optimizers/torch.json", import.meta.url), "utf8")) as Golden;
const double = (dims: readonly number[], values: readonly number[]): Tensor => ({
  type: "float64",
  dims,
  data: Float64Array.from(values),
});
const scalar = (value: number): Tensor => double([], [value]);
const batch = { x: double([4, 3], golden.x), y: double([4, 2], golden.y) };
const model = modelOf({
  inputs: { x: ["float64", [4, 3]], y: ["float64", [4, 2]] },
  outputs: ["z"],
  weights: { w: double([3, 2], golden.w), b: double([2], golden.b) },
  nodes: [
    createNode("MatMul", ["x", "w"], ["p"]),
    createNode("Add", ["p", "b"], ["z"]),
    createNode("Sub", ["z", "y"], ["d"]),
    createNode("Mul", ["d", "d"], ["s"]),
    createNode("ReduceMean", ["s"], ["loss"], { keepdims: 0 }),
  ],
});
const options = { loss: "loss", weights: ["w", "b"], inputShapes: {} };

async function train(step: TrainingStep, rates: readonly number[], feeds: (i: number) => Record<string, Tensor>) {
  const session = await createReferenceSession(step.model);
  const losses: number[] = [];
  for (const [i, rate] of rates.entries()) {
    const { learningRate, step: number } = step.scalars;
    const own = { ...(i === 0 ? step.initial : {}), ...feeds(i), [learningRate]: scalar(rate), [number]: scalar(i + 1) };
    const told = await session.step(own, step.carry, [step.loss]);
    losses.push(toNumbers(told[step.loss])[0]);
  }
  const names = ["w", "b", ...step.averages.values()];
  return { losses, weights: await session.carried(names) };
}

function close(found: Tensor, wanted: readonly number[]): void {
  toNumbers(found).forEach((value, i) => expect(value).toBeCloseTo(wanted[i], 10));
}

describe(`five steps are ${golden.source}'s`, () => {
  test.each(golden.cases.map((each) => ({ ...each, title: `${each.name} ${JSON.stringify(each.options)}` })))(
    "$title, clipped to $clipNorm", async ({ name, options: own, clipNorm, ...wanted }) => {
    const optimizer = { name, ...own };
    const step = await trainingStep(model, { ...options, optimizer, ...(clipNorm === null ? {} : { clipNorm }) });
    const { losses, weights } = await train(step, Array.from({ length: 5 }, () => wanted.learningRate), () => batch);
    losses.forEach((loss, i) => expect(loss).toBeCloseTo(wanted.losses[i], 12));
    close(weights.w, wanted.w);
    close(weights.b, wanted.b);
  });
});

describe("a step", () => {
  test("over two halves of a batch is a step over the whole", async () => {
    const half = modelOf({
      inputs: { x: ["float64", [2, 3]], y: ["float64", [2, 2]] },
      outputs: ["z"],
      weights: { w: double([3, 2], golden.w), b: double([2], golden.b) },
      nodes: model.graph.nodes,
    });
    const step = await trainingStep(half, { ...options, accumulate: 2 });
    const bool = (value: boolean): Tensor => ({ type: "bool", dims: [], data: Uint8Array.of(value ? 1 : 0) });
    const { weights } = await train(step, [0.1, 0.1, 0.1, 0.1], (i) => ({
      x: double([2, 3], golden.x.slice((i % 2) * 6, (i % 2) * 6 + 6)),
      y: double([2, 2], golden.y.slice((i % 2) * 4, (i % 2) * 4 + 4)),
      [step.scalars.apply ?? ""]: bool(i % 2 === 1),
    }));
    const whole = await train(await trainingStep(model, options), [0.1, 0.1], () => batch);
    close(weights.w, [...toNumbers(whole.weights.w)]);
  });

  test("on a batch without a finite loss changes nothing", async () => {
    const step = await trainingStep(model, options);
    const poison = { ...batch, y: double([4, 2], [Number.NaN, ...golden.y.slice(1)]) };
    const good = await train(step, [0.1, 0.1], () => batch);
    const shaken = await train(step, [0.1, 0.1, 0.1], (i) => (i === 1 ? poison : batch));
    close(shaken.weights.w, [...toNumbers(good.weights.w)]);
    expect(shaken.losses[1]).toBeNaN();
  });

  test("keeps a moving average of the weights beside them", async () => {
    const step = await trainingStep(model, { ...options, average: 0.75 });
    const one = await train(step, [0.1], () => batch);
    const kept = one.weights[step.averages.get("w") ?? ""];
    close(kept, golden.w.map((before, i) => 0.75 * before + 0.25 * toNumbers(one.weights.w)[i]));
  });

  test("is refused for a name that is no weight", async () => {
    await expect(trainingStep(model, { ...options, weights: ["v"] })).rejects.toMatchObject({
      code: "model/missing-tensor",
    });
  });
});
