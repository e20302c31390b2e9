/**
 * Gradients of whole models in ONNX Runtime (float32) against PyTorch's in float64: bench/peers/make_gradient_fixtures.py made the
 * fixtures from the same files and inputs. Skipped where ../shared is absent.
 *
 * The fixture has no gradients but their sums with random signs. The mean square of the sums' errors estimates the square of the
 * error's length, over all elements: with 8 sums to within a factor of two.
 */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { onnxBytes } from "#formats/onnx/index";
import { appendLoss } from "#grad/appendLoss";
import { differentiate } from "#grad/differentiate";
import type { Loss } from "#grad/losses/types";
import { float32, int64, sizeOf, type Tensor, toNumbers } from "#model/tensor";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import { readZooModel, zooFiles } from "./zooModels";

const runtimes = ["ort-node", "ort-web"] as const;
const there = await Promise.all(runtimes.map(async (name) => (await nodeRuntimes[name].version()) !== undefined));
afterAll(async () => {
  for (const name of runtimes) await nodeRuntimes[name].shutdown();
});

interface Fixture {
  readonly file: string;
  readonly input: string;
  readonly shape: readonly number[];
  /** Token ids below this … */
  readonly vocabulary?: number;
  /** … or uniform pixels from `low` to 1, and labels below `classes`. */
  readonly classes?: number;
  readonly low?: number;
  readonly loss: number;
  readonly gradients: Readonly<Record<string, { readonly norm: number; readonly projections: readonly number[] }>>;
}

/** 32 random bits of an index: the finalizer of MurmurHash3. */
function mixed(index: number, seed: number): number {
  let h = (index + Math.imul(seed, 0x9e3779b9)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const uniform = (count: number, seed: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => (mixed(i, seed) >>> 8) / 0x1000000);

function feedsOf({ input, shape, vocabulary, classes = 0, low = 0 }: Fixture): Record<string, Tensor> {
  const random = uniform(sizeOf(shape), 1);
  const below = (values: Float64Array, limit: number): number[] => Array.from(values, (u) => Math.floor(u * limit));
  if (vocabulary !== undefined) return { [input]: int64(shape, below(random, vocabulary)) };
  return {
    [input]: float32(
      shape,
      Float32Array.from(random, (u) => u * (1 - low) + low),
    ),
    labels: int64([shape[0]], below(uniform(shape[0], 2), classes)),
  };
}

/** Length of the error relative to the gradient's, which counts as at least a thousandth of the largest. */
function errorsOf(fixture: Fixture, found: Readonly<Record<string, Tensor>>, names: ReadonlyMap<string, string>) {
  const largest = Math.max(...Object.values(fixture.gradients).map(({ norm }) => norm));
  return Object.entries(fixture.gradients).map(([weight, { norm, projections }]) => {
    const values = toNumbers(found[names.get(weight) ?? ""]);
    let squares = 0;
    for (const [k, expected] of projections.entries()) {
      let sum = 0;
      for (let i = 0; i < values.length; i++) sum += (mixed(i, 1000 + k) & 1) === 1 ? -values[i] : values[i];
      squares += (sum - expected) ** 2 / projections.length;
    }
    return { weight, error: Math.sqrt(squares) / Math.max(norm, largest / 1000) };
  });
}

const models: readonly (readonly [name: string, loss: Loss])[] = [
  ["stories260K", { kind: "next-token", tokens: "input_ids" }],
  ["resnet20", { kind: "cross-entropy" }],
  ["mobilenetv2", { kind: "cross-entropy" }],
];

describe.each(runtimes.filter((_, i) => there[i]))("gradients of whole models in %s (../shared)", (runtime) => {
  test.skipIf(zooFiles.length === 0).each(models)(
    "%s has PyTorch's",
    async (name, loss) => {
      const fixture = JSON.parse(
        readFileSync(new URL(`../golden/gradients/${name}.json`, import.meta.url), "utf8"),
      ) as Fixture;
      const inputShapes = { [fixture.input]: fixture.shape };
      const weights = Object.keys(fixture.gradients);
      const whole = await appendLoss(await readZooModel(fixture.file), loss, inputShapes);
      const { model, gradients } = await differentiate(whole.model, whole.loss, weights, inputShapes);
      const session = await nodeRuntimes[runtime].open(
        { model, bytes: () => onnxBytes(model) },
        { memoryBytes: 4 * 2 ** 30 },
      );
      try {
        const found = await session.run(feedsOf(fixture), [whole.loss, ...gradients]);
        expect(Math.abs(toNumbers(found[whole.loss])[0] / fixture.loss - 1)).toBeLessThan(1e-5);
        const errors = errorsOf(fixture, found, new Map(weights.map((weight, i) => [weight, gradients[i]])));
        for (const { weight, error } of errors) expect(error, weight).toBeLessThan(1e-4);
      } finally {
        await session.close();
      }
    },
    120_000,
  );
});
