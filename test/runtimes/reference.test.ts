import { expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import { readOnnx } from "#formats/onnx/index";
import type { SessionOptions } from "#model/session";
import { float32 } from "#model/tensor";
import { createReferenceSession } from "#runtimes/reference/reference";
import { node, onnxFile } from "../onnxBuilder";
import { codeOf, sessionContract, slow, slowFeeds } from "./contract";

// the reader would refuse what the runtime is asked to refuse here
const open = async (bytes: Uint8Array, options?: SessionOptions) =>
  createReferenceSession(await readOnnx(bytesSource(bytes), { validate: false }), options);

sessionContract("reference", open, { apart: false });

const chain = onnxFile({
  inputs: { x: ["float32", [2]] },
  outputs: { y: ["float32", [2]] },
  nodes: [node("Abs", ["x"], ["a"]), node("Neg", ["a"], ["b"]), node("Exp", ["b"], ["y"])],
});

test("any value of the graph may be fetched, and only what it needs is run", async () => {
  const session = await open(chain);
  const { a } = await session.run({ x: float32([2], [-1, 2]) }, ["a"]);
  expect(a).toEqual(float32([2], [1, 2]));
});

test("a run that would take forever ends when its time is up", async () => {
  const session = await open(slow(2 ** 40), { timeoutMs: 100 });
  expect(await codeOf(session.run(slowFeeds))).toMatchObject({ code: "runtime/timeout" });
});

test("every operator that is not known is named before anything runs", async () => {
  const bytes = onnxFile({
    inputs: { x: ["float32", [1]] },
    outputs: { y: ["float32", [1]] },
    nodes: [node("Foo", ["x"], ["a"], {}, "org.nobody"), node("Bar", ["a"], ["y"], {}, "org.nobody")],
  });
  await expect(open(bytes)).rejects.toThrow("org.nobody:Bar, org.nobody:Foo");
});

test("a tensor beyond the limit is refused, not allocated", async () => {
  const bytes = onnxFile({
    inputs: { shape: ["int64", [2]] },
    outputs: { y: ["float32", ["A", "B"]] },
    nodes: [node("ConstantOfShape", ["shape"], ["y"])],
  });
  const session = await open(bytes);
  const shape = { type: "int64", dims: [2], data: BigInt64Array.of(2n ** 31n, 8n) } as const;
  expect(await codeOf(session.run({ shape }))).toMatchObject({ code: "runtime/memory" });
});
