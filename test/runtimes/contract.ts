/** What every runtime promises behind the `Session` port. A runtime's test calls this with a way to open bytes. */
import { afterEach, describe, expect, test } from "vitest";
import type { LowbitError } from "#base/errors";
import { encodeMinifloat, float16 } from "#math/minifloat";
import { canIterate, type Session, type SessionOptions, type Tensors } from "#model/session";
import { float32, int64, type Tensor, tensor } from "#model/tensor";
import { type GraphSpec, node, onnxFile } from "../onnxBuilder";

export type OpenBytes = (bytes: Uint8Array, options?: SessionOptions) => Promise<Session>;

const half = (value: number) => encodeMinifloat(float16, value);

const add: GraphSpec = {
  inputs: { a: ["float32", [2]], b: ["float32", [2]] },
  outputs: { sum: ["float32", [2]], difference: ["float32", [2]] },
  nodes: [node("Add", ["a", "b"], ["sum"]), node("Sub", ["a", "b"], ["difference"])],
};
const feeds = { a: float32([2], [3, 5]), b: float32([2], [1, 10]) };

/** y = x, with the type and shape given; a Cast to the same type, because some runtimes alias what Identity gives. */
function echo(type: Tensor["type"], dims: readonly (number | string)[]): GraphSpec {
  return {
    inputs: { x: [type, dims] },
    outputs: { y: [type, dims] },
    nodes: [node("Identity", ["x"], ["y"])],
  };
}

/** `steps` rounds of x ← x·w inside the graph: as long a run as one likes. */
export function slow(steps: number): Uint8Array {
  const size = 64;
  const body: GraphSpec = {
    inputs: { i: ["int64", []], going: ["bool", []], in: ["float32", [size, size]] },
    outputs: { still: ["bool", []], out: ["float32", [size, size]] },
    nodes: [node("Identity", ["going"], ["still"]), node("MatMul", ["in", "w"], ["out"])],
  };
  return onnxFile({
    inputs: { x: ["float32", [size, size]] },
    outputs: { y: ["float32", [size, size]] },
    nodes: [node("Loop", ["steps", "", "x"], ["y"], { body: { graph: body } })],
    initializers: { steps: int64([], [steps]), w: float32([size, size], new Float32Array(size * size).fill(1 / size)) },
  });
}
export const slowFeeds = { x: float32([64, 64], new Float32Array(64 * 64).fill(1)) };

/** A code that an expected rejection carries, with its hint. */
export async function codeOf(promise: Promise<unknown>): Promise<{ code: string; hint: string | undefined }> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason as LowbitError,
  );
  expect(error, "the call must be refused").toBeDefined();
  return { code: error?.code ?? "", hint: error?.hint };
}

export interface ContractOptions {
  /** Whether runs happen outside this thread, so that timers go on and a run can be closed. Default true. */
  readonly apart?: boolean;
}

export function sessionContract(name: string, open: OpenBytes, { apart = true }: ContractOptions = {}): void {
  describe(`${name} keeps the contract of sessions`, () => {
    const sessions: Session[] = [];
    const opened = async (graph: GraphSpec | Uint8Array, options?: SessionOptions) => {
      const session = await open(graph instanceof Uint8Array ? graph : onnxFile(graph), options);
      sessions.push(session);
      return session;
    };
    afterEach(async () => {
      await Promise.all(sessions.splice(0).map((session) => session.close()));
    });

    test("a session tells its runtime, its inputs and its outputs", async () => {
      const session = await opened(add);
      expect(session.runtime).toContain(name);
      expect(session.inputNames).toEqual(["a", "b"]);
      expect(session.outputNames).toEqual(["sum", "difference"]);
    });

    test("values go in and come out by name, in any order", async () => {
      const session = await opened(add);
      const { sum, difference } = await session.run({ b: feeds.b, a: feeds.a });
      expect(sum).toEqual(float32([2], [4, 15]));
      expect(difference).toEqual(float32([2], [2, -5]));
    });

    test("outputs can be inputs of the next step without coming back", async () => {
      const session = await opened(add);
      if (!canIterate(session)) throw new Error("it keeps no outputs");
      const carry = { a: "sum" };
      expect(await session.step(feeds, carry)).toEqual({ difference: float32([2], [2, -5]) });
      expect(await session.step({ b: feeds.b }, carry, ["sum"])).toEqual({ sum: float32([2], [5, 25]) });
      expect(await session.carried(["a"])).toEqual({ a: float32([2], [5, 25]) });
      // what is fed counts, and a run beside the steps changes nothing
      await session.run(feeds);
      expect(await session.step(feeds, {}, ["sum"])).toEqual({ sum: float32([2], [4, 15]) });
      expect((await codeOf(session.carried(["a"]))).code).toBe("runtime/run");
      expect((await codeOf(session.step({ b: feeds.b }, carry))).code).toBe("runtime/run");
    });

    test("a step that fails keeps what there was", async () => {
      const session = await opened(add);
      if (!canIterate(session)) throw new Error("it keeps no outputs");
      await session.step(feeds, { a: "sum" });
      expect((await codeOf(session.step({ b: float32([3], [1, 2, 3]) }, { a: "sum" }))).code).toBe("runtime/run");
      expect((await session.carried(["a"])).a.data).toEqual(Float32Array.of(4, 15));
    });

    test("only what is fetched comes back", async () => {
      const session = await opened(add);
      expect(Object.keys(await session.run(feeds, ["difference"]))).toEqual(["difference"]);
      expect(await session.run(feeds, [])).toEqual({});
    });

    test.each<[string, Tensors]>([
      ["a missing input", { a: feeds.a }],
      ["an unknown input", { ...feeds, c: feeds.a }],
      ["a wrong type", { ...feeds, a: int64([2], [1, 2]) }],
      ["a wrong rank", { ...feeds, a: float32([1, 2], [1, 2]) }],
      ["a wrong size", { ...feeds, a: float32([3], [1, 2, 3]) }],
      ["data shorter than its dims", { ...feeds, a: { type: "float32", dims: [2], data: new Float32Array(1) } }],
      ["data of another type than it says", { ...feeds, a: { type: "float32", dims: [2], data: new Int8Array(2) } }],
    ])("%s is refused with a hint, and the session goes on", async (_, wrong) => {
      const session = await opened(add);
      const { code, hint } = await codeOf(session.run(wrong));
      expect(code).toBe("runtime/run");
      expect(hint).toBeTruthy();
      expect((await session.run(feeds)).sum.data).toEqual(Float32Array.of(4, 15));
    });

    test("an unknown output is refused with a hint, and the session goes on", async () => {
      const session = await opened(add);
      const { code, hint } = await codeOf(session.run(feeds, ["product"]));
      expect(code).toBe("runtime/run");
      expect(hint).toContain("sum");
      expect((await session.run(feeds)).sum.data).toEqual(Float32Array.of(4, 15));
    });

    test("shapes that only clash inside the graph are refused, and the session goes on", async () => {
      const session = await opened({
        inputs: { a: ["float32", ["N"]], b: ["float32", ["M"]] },
        outputs: { sum: ["float32", ["K"]] },
        nodes: [node("Add", ["a", "b"], ["sum"])],
      });
      expect((await codeOf(session.run({ a: float32([2], [1, 2]), b: float32([3], [1, 2, 3]) }))).code).toBe(
        "runtime/run",
      );
      expect((await session.run(feeds)).sum.data).toEqual(Float32Array.of(4, 15));
    });

    test.each<[string, Tensor]>([
      ["float32", float32([2], [1.5, -0])],
      ["float64", tensor("float64", [2], Float64Array.of(1e300, 5e-324))],
      ["float16", tensor("float16", [3], Uint16Array.of(half(1.5), half(-65504), half(2 ** -24)))],
      ["int8", tensor("int8", [2], Int8Array.of(-128, 127))],
      ["uint8", tensor("uint8", [2], Uint8Array.of(0, 255))],
      ["int32", tensor("int32", [2], Int32Array.of(-(2 ** 31), 2 ** 31 - 1))],
      ["int64", tensor("int64", [2], BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n))],
      ["bool", tensor("bool", [2], Uint8Array.of(0, 1))],
      ["string", tensor("string", [2], ["", "grüße 你好"])],
      ["a scalar", float32([], [7])],
      ["a tensor without elements", float32([0, 3], [])],
    ])("%s goes through unchanged", async (_, value) => {
      const session = await opened(echo(value.type, value.dims));
      expect((await session.run({ x: value })).y).toEqual(value);
    });

    test("NaN payloads and the sign of zero survive", async () => {
      const bits = Uint32Array.of(0x7fc00001, 0x80000000, 0xff800000);
      const session = await opened(echo("float32", [3]));
      const { y } = await session.run({ x: float32([3], new Float32Array(bits.buffer.slice(0))) });
      expect(new Uint32Array((y.data as Float32Array).slice().buffer)).toEqual(bits);
    });

    test("float16 is computed on, not only passed through", async () => {
      const session = await opened({
        inputs: { x: ["float16", [2]] },
        outputs: { y: ["float16", [2]] },
        nodes: [node("Relu", ["x"], ["y"])],
      });
      const { y } = await session.run({ x: tensor("float16", [2], Uint16Array.of(half(-1), half(3.5))) });
      expect(y).toEqual(tensor("float16", [2], Uint16Array.of(0, half(3.5))));
    });

    test("a symbolic size may change from run to run", async () => {
      const session = await opened(echo("float32", ["N", 2]));
      for (const n of [1, 3, 0, 2]) {
        expect((await session.run({ x: float32([n, 2], new Float32Array(n * 2)) })).y.dims).toEqual([n, 2]);
      }
    });

    test("a size written as −1, as old exporters do, may be any", async () => {
      const session = await opened({ ...echo("float32", [-1, 2]), outputs: { y: ["float32", [-1, 2]] } });
      for (const rows of [1, 3]) {
        const x = float32([rows, 2], new Float32Array(2 * rows).fill(7));
        expect((await session.run({ x })).y).toEqual(x);
      }
    });

    test("feeds are not changed, and results own their memory", async () => {
      const session = await opened(add);
      // a window into a larger array, as a batch cut from a data set is
      const big = Float32Array.of(9, 3, 5, 9);
      const a = { type: "float32", dims: [2], data: big.subarray(1, 3) } as Tensor;
      const results = await session.run({ ...feeds, a });
      expect(big).toEqual(Float32Array.of(9, 3, 5, 9));
      const buffers = Object.values(results).map(({ data }) => (data as Float32Array).buffer);
      expect(new Set([...buffers, big.buffer]).size).toBe(3);
      for (const buffer of buffers) expect(buffer.byteLength).toBe(8);
      (results.sum.data as Float32Array).fill(-1);
      expect((await session.run({ ...feeds, a })).sum.data).toEqual(Float32Array.of(4, 15));
    });

    test("an input that is also an output is a copy", async () => {
      const session = await opened({
        inputs: { x: ["float32", [2]] },
        outputs: { y: ["float32", [2]], z: ["float32", [2]] },
        nodes: [node("Identity", ["x"], ["y"]), node("Identity", ["x"], ["z"])],
      });
      const x = float32([2], [1, 2]);
      const { y, z } = await session.run({ x });
      (y.data as Float32Array)[0] = 9;
      expect(z.data).toEqual(Float32Array.of(1, 2));
      expect(x.data).toEqual(Float32Array.of(1, 2));
    });

    test("a thousand runs in a row give a thousand right answers", async () => {
      const session = await opened(add);
      for (let i = 0; i < 1000; i++) {
        const { sum } = await session.run({ a: float32([2], [i, i]), b: feeds.b }, ["sum"]);
        expect(sum.data[0]).toBe(i + 1);
      }
    });

    test("runs started together are each answered, in the order they were started", async () => {
      const session = await opened(add);
      const order: number[] = [];
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const { sum } = await session.run({ a: float32([2], [i, i]), b: feeds.b });
          order.push(i);
          return sum.data[0];
        }),
      );
      expect(answers).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
      expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
    });

    test("two sessions live side by side", async () => {
      const [first, second] = [await opened(add), await opened(echo("float32", [1]))];
      const [{ sum }, { y }] = await Promise.all([first.run(feeds), second.run({ x: float32([1], [8]) })]);
      expect([sum.data[1], y.data[0]]).toEqual([15, 8]);
      await first.close();
      expect((await second.run({ x: float32([1], [6]) })).y.data[0]).toBe(6);
    });

    test("time gives the milliseconds of each round", async () => {
      const session = await opened(add);
      const ms = await session.time(feeds, 5);
      expect(ms).toBeInstanceOf(Float64Array);
      expect(ms).toHaveLength(5);
      for (const round of ms) expect(round).toBeGreaterThan(0);
      expect((await codeOf(session.time({ a: feeds.a }, 5))).code).toBe("runtime/run");
    });

    test("closing twice is fine, and nothing runs after it", async () => {
      const session = await opened(add);
      await session.close();
      await session.close();
      expect((await codeOf(session.run(feeds))).code).toBe("runtime/closed");
      expect((await codeOf(session.time(feeds, 1))).code).toBe("runtime/closed");
    });

    test("a signal that was given ends the session, and none opens after it", async () => {
      const controller = new AbortController();
      const session = await opened(add, { signal: controller.signal });
      expect((await session.run(feeds)).sum.data).toEqual(Float32Array.of(4, 15));
      controller.abort();
      expect((await codeOf(session.run(feeds))).code).toBe("run/interrupted");
      expect((await codeOf(opened(add, { signal: controller.signal }))).code).toBe("run/interrupted");
      expect((await (await opened(add)).run(feeds)).sum.data).toEqual(Float32Array.of(4, 15));
    });

    test.each([
      ["garbage", new TextEncoder().encode("this is not a model, and never was one")],
      ["an empty file", new Uint8Array(0)],
      ["a file that is cut off", onnxFile(add).slice(0, 60)],
    ])("%s is refused with runtime/load or by the reader", async (_, bytes) => {
      const { code, hint } = await codeOf(opened(bytes));
      expect(code).toMatch(/^(runtime\/load|onnx\/.*|model\/.*)$/);
      expect(hint).toBeTruthy();
    });

    test("an operator nobody knows is refused when the model is loaded", async () => {
      const { code } = await codeOf(
        opened({ ...echo("float32", [1]), nodes: [node("Frobnicate", ["x"], ["y"], {}, "org.nobody")] }),
      );
      expect(code).toMatch(/^(runtime\/load|model\/unsupported-operator)$/);
    });

    test.each(["all", "basic", "none"] as const)("optimize: %s computes the same", async (optimize) => {
      const session = await opened(add, { optimize });
      expect((await session.run(feeds)).sum.data).toEqual(Float32Array.of(4, 15));
    });

    describe.runIf(apart)("runs happen apart from this thread", () => {
      const slowFor = async (ms: number) => {
        const probe = await opened(slow(500));
        return slow(Math.ceil((500 * ms) / Math.min(...(await probe.time(slowFeeds, 3)))));
      };

      test("the event loop keeps ticking during a long run", async () => {
        const session = await opened(await slowFor(1_000));
        let ticks = 0;
        const ticking = setInterval(() => ticks++, 5);
        const start = performance.now();
        await session.run(slowFeeds);
        clearInterval(ticking);
        const ms = performance.now() - start;
        expect(ms).toBeGreaterThan(100);
        // a blocked loop would not tick at all; on a busy machine it ticks seldom
        expect(ticks).toBeGreaterThan(3);
      });

      test("closing during a run rejects it and those that wait, at once", async () => {
        const session = await opened(slow(2 ** 40));
        const runs = [session.run(slowFeeds), session.run(slowFeeds), session.time(slowFeeds, 3)].map(codeOf);
        await new Promise((resolve) => setTimeout(resolve, 50));
        const start = performance.now();
        await session.close();
        for (const run of runs) expect((await run).code).toBe("runtime/closed");
        expect(performance.now() - start).toBeLessThan(2_000);
      });

      test("a signal ends a run in its middle", async () => {
        const controller = new AbortController();
        const session = await opened(slow(2 ** 40), { signal: controller.signal });
        const runs = [session.run(slowFeeds), session.time(slowFeeds, 3)].map(codeOf);
        await new Promise((resolve) => setTimeout(resolve, 50));
        const start = performance.now();
        controller.abort();
        for (const run of runs) expect((await run).code).toBe("run/interrupted");
        await session.close();
        expect(performance.now() - start).toBeLessThan(2_000);
      });

      test("a run that takes too long is ended and called so, and the next session works", async () => {
        const session = await opened(slow(2 ** 40), { timeoutMs: 1_500 });
        const start = performance.now();
        const waiting = [session.run(slowFeeds), session.run(slowFeeds)].map(codeOf);
        for (const run of waiting) expect((await run).code).toBe("runtime/timeout");
        expect(performance.now() - start).toBeLessThan(15_000);
        expect((await codeOf(session.run(slowFeeds))).code).toBe("runtime/timeout");
        await session.close();
        expect((await (await opened(add)).run(feeds)).sum.data).toEqual(Float32Array.of(4, 15));
      });

      test("many quick rounds may together take longer than one run may", async () => {
        const session = await opened(await slowFor(50), { timeoutMs: 1_000 });
        const ms = await session.time(slowFeeds, 100);
        expect(ms.reduce((sum, round) => sum + round)).toBeGreaterThan(1_200);
      });

      test("an answer that waited while this thread was busy is not called a timeout", async () => {
        const session = await opened(add, { timeoutMs: 100 });
        const run = session.run(feeds);
        await new Promise((resolve) => setImmediate(resolve));
        const start = performance.now();
        while (performance.now() - start < 400);
        expect((await run).sum.data).toEqual(Float32Array.of(4, 15));
      });
    });
  });
}
