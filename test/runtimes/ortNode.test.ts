import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { LowbitError } from "#base/errors";
import { canProfile, type Session, type SessionOptions } from "#model/session";
import { float32, tensor } from "#model/tensor";
import { createOrtNode, ortNode } from "#runtimes/ortNode/ortNode.node";
import { type GraphSpec, node, onnxFile } from "../onnxBuilder";
import { codeOf, sessionContract, slow, slowFeeds } from "./contract";
import { onLinux, ortChildren, scratchOf, within } from "./processes";
import { runnable } from "./runnable";

const sessions: Session[] = [];
const open = async (graph: GraphSpec | Uint8Array, options?: SessionOptions) => {
  const session = await ortNode.open(runnable(graph instanceof Uint8Array ? graph : onnxFile(graph)), options);
  sessions.push(session);
  return session;
};
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
});
afterAll(() => ortNode.shutdown());

sessionContract("ort-node", open);

const relu: GraphSpec = {
  inputs: { x: ["float32", ["N"]] },
  outputs: { y: ["float32", ["N"]] },
  nodes: [node("Relu", ["x"], ["y"])],
};
const x = float32([2], [-1, 2]);

test("the version is that of the installed package", async () => {
  const manifest = new URL("../../node_modules/onnxruntime-node/package.json", import.meta.url);
  expect(await ortNode.version()).toBe(JSON.parse(readFileSync(manifest, "utf8")).version);
  expect(await ortNode.why()).toBeUndefined();
});

test("a model given as files is written into a directory of its own, which is gone after closing", async () => {
  let directory = "";
  const bytes = onnxFile(relu);
  const session = await ortNode.open({
    ...runnable(bytes),
    async path(given) {
      directory = given;
      expect(readdirSync(given)).toEqual([]);
      const { writeFile } = await import("node:fs/promises");
      await writeFile(`${given}/with spaces.onnx`, bytes);
      return `${given}/with spaces.onnx`;
    },
  });
  expect((await session.run({ x })).y.data).toEqual(Float32Array.of(0, 2));
  expect(readdirSync(directory)).toEqual(["with spaces.onnx"]);
  await session.close();
  expect(() => readdirSync(directory)).toThrow("ENOENT");
});

test("a model that cannot be written is that error, and the process serves the next one", async () => {
  const failing = {
    ...runnable(new Uint8Array(0)),
    path: () => Promise.reject(new LowbitError("io/no-space", "full")),
  };
  expect((await codeOf(ortNode.open(failing))).code).toBe("io/no-space");
  const session = await open(relu);
  expect((await session.run({ x })).y.data[1]).toBe(2);
  await session.close();
});

describe("types that ONNX Runtime cannot hand over are refused before they harm (P3)", () => {
  test.each(["int4", "uint4", "bfloat16", "float8e4m3fn", "float8e5m2"] as const)("%s", async (type) => {
    const cast: GraphSpec = {
      inputs: { x: ["float32", [2]] },
      outputs: { y: [type, [2]] },
      nodes: [
        node("Cast", ["x"], ["y"], {
          to: { int4: 22, uint4: 21, bfloat16: 16, float8e4m3fn: 17, float8e5m2: 19 }[type],
        }),
      ],
    };
    const { code, hint } = await codeOf(open(cast));
    expect(code).toBe("runtime/load");
    expect(hint).toContain("Cast");
  });

  test("an int4 input", async () => {
    const cast: GraphSpec = {
      inputs: { x: ["int4", [2]] },
      outputs: { y: ["float32", [2]] },
      nodes: [node("Cast", ["x"], ["y"], { to: 1 })],
    };
    expect((await codeOf(open(cast))).code).toBe("runtime/load");
  });

  test("a sequence", async () => {
    const sequence: GraphSpec = {
      ...relu,
      outputs: { y: undefined },
      nodes: [node("SequenceConstruct", ["x"], ["y"])],
    };
    const { code, hint } = await codeOf(open(sequence));
    expect(code).toBe("runtime/load");
    expect(hint).toBeTruthy();
  });
});

test("basic keeps the file's own arithmetic where all computes in int8 (P5)", async () => {
  const [rows, columns, block] = [128, 64, 32];
  const codes = Int8Array.from({ length: rows * columns }, (_, i) => ((i * 37) % 16) - 8);
  const scales = Float32Array.from({ length: (rows / block) * columns }, (_, i) => 0.01 + (i % 7) * 0.013);
  const graph: GraphSpec = {
    inputs: { x: ["float32", [4, rows]] },
    outputs: { y: ["float32", [4, columns]] },
    nodes: [
      node("DequantizeLinear", ["codes", "scales"], ["w"], { axis: 0, block_size: block }),
      node("MatMul", ["x", "w"], ["y"]),
    ],
    initializers: {
      codes: tensor("int4", [rows, columns], codes),
      scales: float32([rows / block, columns], scales),
    },
  };
  const feeds = {
    x: float32(
      [4, rows],
      Float32Array.from({ length: 4 * rows }, (_, i) => Math.sin(i * 1.7) * 3),
    ),
  };
  const result = async (optimize: "all" | "basic" | "none") => {
    const session = await open(graph, { optimize });
    const { y } = await session.run(feeds);
    await session.close();
    return y.data as Float32Array;
  };
  const [all, basic, none] = [await result("all"), await result("basic"), await result("none")];
  expect(basic).toEqual(none);
  const relativeError = Math.sqrt(
    all.reduce((sum, v, i) => sum + (v - none[i]) ** 2, 0) / none.reduce((sum, v) => sum + v * v, 0),
  );
  expect(relativeError, "otherwise there is nothing to protect from").toBeGreaterThan(1e-4);
});

test("basic leaves a float bias between quantized tensors in float", async () => {
  // one weight of 1, one bias of 0.3 · s_x·s_w: as int32 the bias would be 0, and the sum would round down
  const one = (type: "int8" | "uint8", value: number) =>
    tensor(type, [], type === "int8" ? Int8Array.of(value) : Uint8Array.of(value));
  const graph: GraphSpec = {
    inputs: { x: ["float32", [1, 1, 1, 1]] },
    outputs: { y: ["float32", [1, 1, 1, 1]] },
    nodes: [
      node("QuantizeLinear", ["x", "s", "z"], ["xq"]),
      node("DequantizeLinear", ["xq", "s", "z"], ["xd"]),
      node("DequantizeLinear", ["wq", "s", "wz"], ["wd"]),
      node("Conv", ["xd", "wd", "b"], ["c"]),
      node("QuantizeLinear", ["c", "fine", "z"], ["cq"]),
      node("DequantizeLinear", ["cq", "fine", "z"], ["y"]),
    ],
    initializers: {
      s: float32([], [1]),
      fine: float32([], [0.1]),
      z: one("uint8", 0),
      wz: one("int8", 0),
      wq: tensor("int8", [1, 1, 1, 1], Int8Array.of(1)),
      b: float32([1], [0.3]),
    },
  };
  const session = await open(graph, { optimize: "basic" });
  const { y } = await session.run({ x: float32([1, 1, 1, 1], [2]) });
  await session.close();
  expect(y.data[0]).toBeCloseTo(2.3, 5);
});

test("the profiler names the kernels that ran, in order, with their shapes", async () => {
  const session = await open({
    inputs: { x: ["float32", [64, 64]] },
    outputs: { y: ["float32", [64, 64]] },
    nodes: [
      { ...node("MatMul", ["x", "w"], ["m"]), name: "product" },
      { ...node("Softmax", ["m"], ["y"]), name: "normalize" },
    ],
    initializers: { w: float32([64, 64], new Float32Array(4096).fill(0.01)) },
  });
  expect(canProfile(session)).toBe(true);
  const kernels = await session.profile({ x: float32([64, 64], new Float32Array(4096).fill(1)) }, 7);
  expect(kernels.map(({ node, op, outputShape, outputType }) => ({ node, op, outputShape, outputType }))).toEqual([
    { node: "product", op: "MatMul", outputShape: [64, 64], outputType: "float32" },
    { node: "normalize", op: "Softmax", outputShape: [64, 64], outputType: "float32" },
  ]);
  for (const { medianUs } of kernels) expect(medianUs).toBeGreaterThanOrEqual(0);
  expect(kernels[0].medianUs + kernels[1].medianUs).toBeGreaterThan(0);
  // and the session itself goes on, unprofiled
  expect(await session.time({ x: float32([64, 64], new Float32Array(4096)) }, 2)).toHaveLength(2);
  await session.close();
});

test("a loop's kernels are added up over its iterations", async () => {
  const session = await open(slow(50));
  const kernels = await session.profile(slowFeeds, 3);
  await session.close();
  const product = kernels.find(({ op }) => op === "MatMul");
  const loop = kernels.find(({ op }) => op === "Loop");
  expect(product?.outputShape).toEqual([64, 64]);
  expect(product?.medianUs).toBeLessThanOrEqual(loop?.medianUs ?? 0);
});

describe.skipIf(!onLinux)("seen from outside", () => {
  beforeEach(() => ortNode.shutdown());

  const pidOf = async (session: Session) => {
    await session.run({ x });
    const [pid, ...others] = ortChildren();
    expect(others, "one session, one process").toEqual([]);
    return pid;
  };

  test("the native library is never loaded into this process (P2, P9)", async () => {
    const session = await open(relu);
    const pid = await pidOf(session);
    expect(readFileSync(`/proc/${pid}/maps`, "utf8")).toContain("onnxruntime_binding.node");
    expect(readFileSync("/proc/self/maps", "utf8")).not.toContain("onnxruntime_binding.node");
    await session.close();
  });

  test("a process serves the next session, and is replaced after 16 (P10)", async () => {
    const pids: number[] = [];
    for (let i = 0; i < 20; i++) {
      const session = await open(relu);
      pids.push(await pidOf(session));
      await session.close();
    }
    expect(new Set(pids.slice(0, 16)).size).toBe(1);
    expect(new Set(pids.slice(16)).size).toBe(1);
    expect(pids[16]).not.toBe(pids[15]);
  });

  test("one thread computes unless more are asked for (P7)", async () => {
    const threads = async (options?: SessionOptions) => {
      await ortNode.shutdown();
      const session = await open(relu, options);
      const count = readdirSync(`/proc/${await pidOf(session)}/task`).length;
      await session.close();
      return count;
    };
    expect((await threads({ threads: 3 })) - (await threads())).toBe(2);
  });

  test("its temporary directory is its scratch directory", async () => {
    const session = await open(relu);
    const pid = await pidOf(session);
    const [scratch] = scratchOf();
    expect(readFileSync(`/proc/${pid}/environ`, "utf8").split("\0")).toContain(`TMPDIR=${scratch}`);
    await session.close();
  });

  test("ONNX Runtime's telemetry is off: no logs, no connections", async () => {
    const session = await open(relu);
    const pid = await pidOf(session);
    expect(readFileSync(`/proc/${pid}/environ`, "utf8").split("\0")).toContain("ORT_DISABLE_TELEMETRY=1");
    for (const folder of [...scratchOf(), tmpdir()]) expect(readdirSync(folder)).not.toContain(`mat-debug-${pid}.log`);
    await session.close();
  });

  test.each(["SIGSEGV", "SIGABRT", "SIGKILL"] as const)(
    "%s in mid-run is a crash, for all who wait; the next session works",
    async (signal) => {
      const session = await open(slow(2 ** 40));
      const waiting = [session.run(slowFeeds), session.time(slowFeeds, 3)].map(codeOf);
      await new Promise((resolve) => setTimeout(resolve, 30));
      process.kill(ortChildren()[0], signal);
      for (const call of waiting) expect((await call).code).toBe("runtime/crash");
      expect((await codeOf(session.run(slowFeeds))).code).toBe("runtime/crash");
      await session.close();
      expect(scratchOf()).toEqual([]);
      const next = await open(relu);
      expect((await next.run({ x })).y.data[1]).toBe(2);
      await next.close();
    },
  );

  test.each(["SIGINT", "SIGTERM", "SIGHUP"])(
    "%s, which reaches the whole process group, does not end a run",
    async (signal) => {
      const session = await open(relu);
      process.kill(await pidOf(session), signal);
      expect((await session.run({ x })).y.data[1]).toBe(2);
      await session.close();
    },
  );

  test("an idle process that dies is not handed out", async () => {
    const session = await open(relu);
    const pid = await pidOf(session);
    await session.close();
    process.kill(pid, "SIGKILL");
    const next = await open(relu).catch(() => open(relu)); // the news may travel slower than the next call
    expect((await next.run({ x })).y.data[1]).toBe(2);
    await next.close();
  });
});

describe("a broken session process is an error and not the end (R1)", () => {
  const broken = createOrtNode(new URL("./misbehaving.mjs", import.meta.url));

  test.each([
    ["exit", /exit code 3.*second line/s],
    ["segfault", /SIGSEGV/],
    ["abort", /SIGABRT/],
    ["out of memory", /bad_alloc/],
    ["noise", /garbage/],
    ["garbage", /garbage/],
    ["half a value", /garbage/],
    ["not an answer", /garbage/],
  ])("%s", async (misbehaviour, message) => {
    process.env.LOWBIT_TEST_MISBEHAVIOUR = misbehaviour;
    const error = await broken.open(runnable(onnxFile(relu))).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LowbitError);
    expect(error).toMatchObject({ code: "runtime/unavailable", message: expect.stringMatching(message) });
    expect(await broken.version()).toBeUndefined();
    expect(await broken.why()).toMatch(message);
    if (onLinux) expect(await within(1_000, () => scratchOf().length === ortChildren().length)).toBe(true);
  });
});
