/** Models made to hurt whoever loads them (reliability.md §1.6). This process lives, knows why, and finds nothing left over. */
import { afterAll, describe, expect, test } from "vitest";
import { float32, int64 } from "#model/tensor";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import { node, type NodeSpec, onnxFile } from "../onnxBuilder";
import { codeOf, slow, slowFeeds } from "./contract";
import { onLinux, ortChildren, scratchOf } from "./processes";
import { runnable } from "./runnable";

const x = { x: float32([1], [1]) };
const GB = 1e9;

/** y = the largest of `count` numbers that the file does not hold. */
function zeros(count: number, input: boolean): Uint8Array {
  const add = input ? [node("Add", ["zeros", "x"], ["sum"])] : [];
  return onnxFile({
    inputs: input ? { x: ["float32", [1]] } : {},
    outputs: { y: ["float32", []] },
    nodes: [
      node("ConstantOfShape", ["shape"], ["zeros"]),
      ...add,
      node("ReduceMax", [input ? "sum" : "zeros"], ["y"], { keepdims: 0 }),
    ],
    initializers: { shape: int64([1], [count]) },
  });
}

/** The 89 bytes of the report: the bomb is the output itself. */
const bomb = onnxFile({
  outputs: { y: ["float32"] },
  nodes: [node("ConstantOfShape", ["shape"], ["y"])],
  initializers: { shape: int64([1], [2 ** 31]) },
});

/** A loop over constants alone: whoever folds constants at load time never finishes loading. */
const endlessLoad = onnxFile({
  outputs: { y: ["int64", []] },
  nodes: [
    node("Loop", ["steps", "", "start"], ["y"], {
      body: {
        graph: {
          inputs: { i: ["int64", []], going: ["bool", []], in: ["int64", []] },
          outputs: { still: ["bool", []], out: ["int64", []] },
          nodes: [node("Identity", ["going"], ["still"]), node("Add", ["in", "i"], ["out"])],
        },
      },
    }),
  ],
  initializers: { steps: int64([], [2n ** 62n]), start: int64([], [0]) },
});

function chain(length: number): Uint8Array {
  const nodes: NodeSpec[] = Array.from({ length }, (_, i) =>
    node("Relu", [i === 0 ? "x" : `t${i}`], [i === length - 1 ? "y" : `t${i + 1}`]),
  );
  return onnxFile({ inputs: { x: ["float32", [1]] }, outputs: { y: ["float32", [1]] }, nodes });
}

const garbage = Uint8Array.from({ length: 500 }, (_, i) => (i * 7919) >> 3);

describe.each(["ort-node", "ort-web"] as const)("%s survives", (name) => {
  const runtime = nodeRuntimes[name];
  afterAll(async () => {
    await runtime.shutdown();
    if (!onLinux) return;
    expect(ortChildren(), "no process is left").toEqual([]);
    expect(scratchOf(), "no scratch directory is left").toEqual([]);
  });

  /** Opens and runs once; the code of what went wrong. */
  const outcome = async (
    bytes: Uint8Array,
    feeds: typeof x | Record<string, never>,
    timeoutMs: number,
    memoryBytes = GB,
  ) => {
    const start = performance.now();
    const attempt = async () => {
      const session = await runtime.open(runnable(bytes), { timeoutMs, memoryBytes });
      return session.run(feeds).finally(() => session.close());
    };
    const { code } = await codeOf(attempt());
    expect(performance.now() - start, "in bounded time").toBeLessThan(2 * timeoutMs + 5_000);
    return code;
  };

  test("a loop of 2⁴⁰ steps", async () => {
    expect(await outcome(slow(2 ** 40), slowFeeds, 700)).toBe("runtime/timeout");
  });

  test("a loop of 2⁶² steps over constants", async () => {
    expect(await outcome(endlessLoad, {}, 700)).toBe("runtime/timeout");
  });

  test("2³¹ floats out of 89 bytes", async () => {
    expect(bomb.byteLength).toBeLessThan(90);
    expect(await outcome(bomb, {}, 20_000)).toBe("runtime/memory");
  });

  test("400 million floats with a limit of 1 GB", async () => {
    expect(await outcome(zeros(4e8, true), x, 20_000)).toBe("runtime/memory");
    expect(await outcome(zeros(4e8, false), {}, 20_000)).toBe("runtime/memory");
  });

  test("a model that wants 20 GB", async () => {
    expect(await outcome(zeros(5e9, true), x, 20_000)).toBe("runtime/memory");
  });

  test("500 bytes of garbage", async () => {
    expect(await outcome(garbage, x, 5_000)).toBe("runtime/load");
  });

  test("a chain of 100,000 nodes", async () => {
    expect(await outcome(chain(100_000), x, 500)).toBe("runtime/timeout");
  });

  test("all of them, and then works as before", async () => {
    const session = await runtime.open(runnable(chain(3)));
    expect((await session.run({ x: float32([1], [-2]) })).y.data).toEqual(Float32Array.of(0));
    await session.close();
  });
});

test.skipIf(!onLinux)("a native session is ended within 2 GB of its limit, while this thread is busy", async () => {
  const session = await nodeRuntimes["ort-node"].open(runnable(zeros(5e9, true)), { memoryBytes: 0.5 * GB });
  const run = session.run(x).then(
    () => "",
    (error: Error) => error.message,
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  const start = performance.now();
  while (performance.now() - start < 1_500);
  const reached = /grew to ([\d.]+) GB/.exec(await run)?.[1];
  expect(Number(reached)).toBeGreaterThanOrEqual(0.5);
  expect(Number(reached)).toBeLessThan(2.5);
  await session.close();
});
