import { afterAll, afterEach, describe, expect, test } from "vitest";
import { canProfile, type Session, type SessionOptions } from "#model/session";
import { float32, int64, tensor } from "#model/tensor";
import { runtimes } from "#runtimes/index";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import { type GraphSpec, node, onnxFile } from "../onnxBuilder";
import { codeOf, sessionContract } from "./contract";
import { runnable } from "./runnable";

const ortWeb = nodeRuntimes["ort-web"];
const sessions: Session[] = [];
const open = async (graph: GraphSpec | Uint8Array, options?: SessionOptions) => {
  const session = await ortWeb.open(runnable(graph instanceof Uint8Array ? graph : onnxFile(graph)), options);
  sessions.push(session);
  return session;
};
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
});
afterAll(() => ortWeb.shutdown());

sessionContract("ort-web", open);

const relu: GraphSpec = {
  inputs: { x: ["float32", ["N"]] },
  outputs: { y: ["float32", ["N"]] },
  nodes: [node("Relu", ["x"], ["y"])],
};
const x = float32([2], [-1, 2]);

test("it tells its version, and that it has no profiler", async () => {
  expect(await ortWeb.version()).toMatch(/^1\.\d+\.\d+$/);
  expect(await ortWeb.why()).toBeUndefined();
  expect(canProfile(await open(relu))).toBe(false);
});

test.each(["int4", "uint4", "bfloat16", "float8e4m3fn"] as const)(
  "a graph output of type %s is refused (P3)",
  async (type) => {
    const to = { int4: 22, uint4: 21, bfloat16: 16, float8e4m3fn: 17 }[type];
    const cast: GraphSpec = { ...relu, outputs: { y: [type, ["N"]] }, nodes: [node("Cast", ["x"], ["y"], { to })] };
    const { code, hint } = await codeOf(open(cast));
    expect(code).toBe("runtime/load");
    expect(hint).toContain("Cast");
  },
);

test("basic keeps the file's own arithmetic (P5)", async () => {
  const graph: GraphSpec = {
    inputs: { x: ["float32", [1, 64]] },
    outputs: { y: ["float32", [1, 16]] },
    nodes: [
      node("DequantizeLinear", ["codes", "scales"], ["w"], { axis: 0, block_size: 32 }),
      node("MatMul", ["x", "w"], ["y"]),
    ],
    initializers: {
      codes: tensor(
        "int4",
        [64, 16],
        Int8Array.from({ length: 1024 }, (_, i) => ((i * 37) % 16) - 8),
      ),
      scales: float32(
        [2, 16],
        Float32Array.from({ length: 32 }, (_, i) => 0.01 + i * 0.003),
      ),
    },
  };
  const feeds = {
    x: float32(
      [1, 64],
      Float32Array.from({ length: 64 }, (_, i) => Math.sin(i * 1.7)),
    ),
  };
  const result = async (optimize: "basic" | "none") => (await (await open(graph, { optimize })).run(feeds)).y.data;
  expect(await result("basic")).toEqual(await result("none"));
});

test("two threads compute what one does", async () => {
  const session = await open(relu, { threads: 2 });
  expect((await session.run({ x })).y.data).toEqual(Float32Array.of(0, 2));
});

describe("memory", () => {
  /** Needs 1.2 GB for its one tensor. */
  const large: GraphSpec = {
    inputs: { x: ["float32", [1]] },
    outputs: { y: ["float32", []] },
    nodes: [
      node("ConstantOfShape", ["shape"], ["zeros"]),
      node("Add", ["zeros", "x"], ["sum"]),
      node("ReduceMax", ["sum"], ["y"], { keepdims: 0 }),
    ],
    initializers: { shape: int64([1], [3e8]) },
  };

  test("a run over the limit is refused, and the session goes on", async () => {
    const session = await open(
      {
        ...large,
        outputs: { ...large.outputs, x2: ["float32", [1]] },
        nodes: [...large.nodes, node("Mul", ["x", "x"], ["x2"])],
      },
      { memoryBytes: 2 ** 30 },
    );
    const feeds = { x: float32([1], [3]) };
    const before = process.memoryUsage.rss();
    expect((await codeOf(session.run(feeds))).code).toBe("runtime/memory");
    expect(process.memoryUsage.rss() - before).toBeLessThan(1.2e9);
    expect((await codeOf(session.run(feeds))).code).toBe("runtime/memory");
  });
});

test("where there is no Worker, the browser's runtime is unavailable and says so", async () => {
  expect(globalThis.Worker).toBeUndefined();
  const { code, hint } = await codeOf(runtimes["ort-web"].open(runnable(onnxFile(relu))));
  expect(code).toBe("runtime/unavailable");
  expect(hint).toBeTruthy();
});
