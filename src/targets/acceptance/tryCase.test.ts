import { describe, expect, test } from "vitest";
import { LowbitError, type ErrorCode } from "#base/errors";
import { onnxBytes } from "#formats/onnx/index";
import type { KernelTime, OpenSession, ProfilingSession, Session } from "#model/session";
import { float32, type Tensor } from "#model/tensor";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import { acceptanceCases } from "#targets/acceptance/cases";
import { acceptances } from "#targets/acceptance/index";
import { changedRows, measureAcceptance } from "#targets/acceptance/measure";
import { Sketch } from "#targets/acceptance/sketch";
import { expected, tryCase } from "#targets/acceptance/tryCase";
import type { AcceptanceCase } from "#targets/acceptance/types";

/** y = x + x, asked about with codes or without. */
function doubled(codes?: AcceptanceCase["codes"]): AcceptanceCase {
  const sketch = new Sketch("test/doubled");
  const x = sketch.input(float32([3], [1, -2, 4]));
  sketch.output(sketch.node("Add", [x, x]));
  return sketch.finish("twice", 1e-6, codes === undefined ? {} : { codes });
}

const session = (y: Tensor): Session => ({
  runtime: "test 1",
  inputNames: ["x0"],
  outputNames: ["y"],
  run: async () => ({ y }),
  time: async () => new Float64Array(0),
  close: async () => {},
});

const telling = (y: Tensor, kernels: readonly Partial<KernelTime>[]): ProfilingSession => ({
  ...session(y),
  profile: async () =>
    kernels.map((kernel) => ({ node: "", op: "", outputShape: [], outputType: "float32", medianUs: 1, ...kernel })),
});

const right = float32([3], [2, -4, 8]);
const opens =
  (given: Session): OpenSession =>
  async () =>
    given;
const refuses =
  (code: ErrorCode, message: string): OpenSession =>
  async () => {
    throw new LowbitError(code, message);
  };

describe("the verdict", () => {
  test("of a right answer: runs; of a wrong one: changes, with how far it is off", async () => {
    expect(await tryCase(doubled(), opens(session(right)))).toEqual({ verdict: "runs" });
    const off = float32([3], [2, -4, 8.4]);
    expect(await tryCase(doubled(), opens(session(off)))).toEqual({ verdict: "changes", error: 0.05 });
    for (const bad of [float32([3], [2, Number.NaN, 8]), float32([1, 3], [2, -4, 8])]) {
      expect(await tryCase(doubled(), opens(session(bad)))).toMatchObject({ verdict: "changes", error: Infinity });
    }
  });

  test("of int8 kernels: fuses; of floats between Q and DQ: float; where nobody tells: runs", async () => {
    const integer = { op: "QLinearAdd", outputType: "uint8" } as const;
    const floats = [{ op: "DequantizeLinear" }, { op: "Add" }, { op: "QuantizeLinear", outputType: "uint8" }] as const;
    const ask = (codes: AcceptanceCase["codes"], kernels: readonly Partial<KernelTime>[]) =>
      tryCase(doubled(codes), opens(telling(right, kernels)));
    expect(await ask("everywhere", [integer])).toEqual({ verdict: "fuses", kernels: "QLinearAdd" });
    expect(await ask("everywhere", floats)).toEqual({ verdict: "float", kernels: "DQ Add Q" });
    expect(await ask("product", [{ op: "MatMulIntegerToFloat" }])).toMatchObject({ verdict: "fuses" });
    expect(await ask("product", [{ op: "DynamicQuantizeLinear" }, { op: "MatMul" }])).toMatchObject({
      verdict: "float",
    });
    expect(await tryCase(doubled("everywhere"), opens(session(right)))).toEqual({ verdict: "runs" });
  });

  test("of a refusal keeps what was said, and when", async () => {
    const ask = (code: ErrorCode, message: string) => tryCase(doubled(), refuses(code, message));
    expect(await ask("runtime/load", "loading the model: No Op registered")).toEqual({
      verdict: "rejects",
      says: "No Op registered",
    });
    expect(await ask("runtime/run", "running the model: Non-zero status code Status Message: no")).toEqual({
      verdict: "rejects",
      says: "at the first run: no",
    });
    expect(await ask("runtime/crash", "gone")).toMatchObject({ verdict: "crashes" });
    expect(await ask("runtime/timeout", "long")).toMatchObject({ verdict: "hangs" });
    expect((await ask("runtime/load", "x".repeat(500))).says).toHaveLength(160);
  });

  test("is not given where the runtime is missing, or the case itself is wrong", async () => {
    const missing = tryCase(doubled(), refuses("runtime/unavailable", "not installed"));
    await expect(missing).rejects.toMatchObject({ code: "runtime/unavailable" });
    const sketch = new Sketch("test/unknown");
    sketch.output(sketch.node("NoSuchOperator", [sketch.input(float32([1], [1]))]));
    await expect(tryCase(sketch.finish("", 0), opens(session(right)))).rejects.toMatchObject({
      code: "model/unsupported-operator",
    });
  });

  test("rests on the reference interpreter, or on a twin in operators that it knows", async () => {
    expect((await expected(doubled())).v0).toEqual(right);
    const given = acceptanceCases.find(({ id }) => id === "matMulBnb4/nf4");
    if (given === undefined) throw new Error("no such case");
    await expect(expected({ ...given, twin: undefined })).rejects.toMatchObject({ code: "model/unsupported-operator" });
    expect(Object.values(await expected(given))[0].dims).toEqual([3, 16]);
  });
});

test("changed verdicts are told by name; changed kernels and errors are not changes", () => {
  const table = { runtime: "", platform: "", processor: "", date: "" };
  const before = { ...table, rows: { a: { verdict: "fuses", error: 1 }, b: { verdict: "runs" } } } as const;
  const now = { ...table, rows: { a: { verdict: "fuses" }, c: { verdict: "runs" } } } as const;
  expect(changedRows(before, now).map(({ id }) => id)).toEqual(["b", "c"]);
});

/** Every twelfth question: forty of them in less than a second. All are asked in test/runtimes/targets.full.test.ts. */
test("a sample of the table is still true natively", async (context) => {
  const runtime = nodeRuntimes["ort-node"];
  const table = acceptances["ort-node"];
  if ((await runtime.version()) === undefined) context.skip("onnxruntime-node is not installed");
  if (table.platform !== `${process.platform} ${process.arch}`) context.skip(`the table is about ${table.platform}`);
  const asked = acceptanceCases.filter(({ varies }, i) => varies === undefined && i % 12 === 0);
  const openSession: OpenSession = (model, options) => runtime.open({ model, bytes: () => onnxBytes(model) }, options);
  const now = await measureAcceptance(asked, openSession, table);
  await runtime.shutdown();
  for (const { id } of asked)
    expect({ id, verdict: now.rows[id].verdict }).toEqual({ id, verdict: table.rows[id].verdict });
});
