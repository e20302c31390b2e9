/**
 * Small models with a few bytes changed: each is read correctly or refused by name, soon. What is accepted can be written and reads
 * back as the same bytes. ONNX_MUTANTS sets how many are tried (default 20,000).
 */
import { expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { createRng, type Rng } from "#base/rng";
import { onnxBytes, readOnnx } from "#formats/onnx/index";
import { WireReader } from "#formats/onnx/wireReader";
import { weightBytes } from "#model/weights";
import { node, onnxFile } from "../onnxBuilder";
import { bytes, int, join, message, modelAround, text, varintBytes } from "./wire";

const float = { type: "float32", dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) } as const;

const seeds: readonly Uint8Array[] = [
  onnxFile({
    inputs: { x: ["float32", ["batch", 2]] },
    outputs: { y: ["float32", ["batch", 2]] },
    nodes: [
      node("MatMul", ["x", "w"], ["h"]),
      node("Clip", ["h"], ["y"], { min: { float: 0 }, axes: [1, 2, 3], mode: "edge", c: { tensor: float } }),
    ],
    initializers: { w: float, big: { type: "int8", dims: [1500], data: new Int8Array(1500) } },
  }),
  onnxFile({
    inputs: { c: ["bool", []], x: ["float32", [2]] },
    outputs: { y: undefined },
    nodes: [
      node("If", ["c"], ["y"], {
        then_branch: { graph: { outputs: { a: undefined }, nodes: [node("Relu", ["x"], ["a"])] } },
        else_branch: { graph: { outputs: { b: undefined }, nodes: [node("Abs", ["x"], ["b"])] } },
      }),
    ],
  }),
  // typed fields, strings, external data, a function, a sequence type, metadata, unknown fields
  join(
    modelAround(
      message(5, text(8, "i"), int(1, 3), int(2, 7), bytes(7, [1, 2, 3])),
      message(5, text(8, "s"), int(1, 2), int(2, 8), text(6, "one"), text(6, "two")),
      message(
        5,
        text(8, "e"),
        int(1, 2),
        int(2, 1),
        int(14, 1),
        message(13, text(1, "location"), text(2, "w")),
        message(13, text(1, "offset"), text(2, "8")),
      ),
      message(11, text(1, "q"), message(2, message(4, message(1, message(1, int(1, 1)))))),
      message(16, text(1, "key"), text(2, "value")),
      bytes(90, [1, 2, 3]),
    ),
    message(
      25,
      text(1, "f"),
      text(4, "p"),
      text(5, "q"),
      message(7, text(1, "p"), text(2, "q"), text(4, "Relu")),
      message(9, int(2, 17)),
      text(10, "local"),
    ),
    message(14, text(1, "key"), text(2, "value")),
  ),
];

/** What breaks length-prefixed formats: lengths, sizes and signs at their limits. */
const dangerous = [
  0n,
  1n,
  127n,
  128n,
  255n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
].map(varintBytes);

/** Changes bytes anywhere: mostly the lengths no longer fit. */
function mutateBytes(seed: Uint8Array, rng: Rng): Uint8Array {
  const at = rng.below(seed.length);
  const length = rng.below(40);
  const [before, after] = [seed.subarray(0, at), seed.subarray(at)];
  switch (rng.below(5)) {
    case 0:
      return join(before, [rng.below(256)], after.subarray(1));
    case 1:
      return before;
    case 2:
      return join(before, dangerous[rng.below(dangerous.length)], after.subarray(rng.below(3)));
    case 3:
      return join(before, after.subarray(length));
    default:
      return join(before, after.subarray(0, length), after);
  }
}

interface WireField {
  readonly start: number;
  readonly end: number;
  /** Of a length-delimited field; its number comes with it. */
  readonly content?: { readonly number: number; readonly start: number };
}

/** The fields of a message; undefined when the bytes are none. */
function fieldsIn(message: Uint8Array): WireField[] | undefined {
  const reader = new WireReader(message, "mutant");
  const fields: WireField[] = [];
  try {
    while (reader.pos < message.length) {
      const start = reader.pos;
      reader.tag();
      const number = reader.field;
      if (reader.wire === 2) {
        const length = reader.lengthBefore(message.length);
        fields.push({ start, end: reader.pos + length, content: { number, start: reader.pos } });
        reader.advance(length);
      } else {
        reader.skipValue(message.length);
        fields.push({ start, end: reader.pos });
      }
    }
  } catch {
    return undefined;
  }
  return fields;
}

/** Changes one message somewhere inside and mends the lengths around it: what is wrong is its meaning. */
function mutateMessage(message: Uint8Array, rng: Rng): Uint8Array {
  const fields = fieldsIn(message);
  if (fields === undefined || fields.length === 0) return message.length === 0 ? message : mutateBytes(message, rng);
  const { start, end, content } = fields[rng.below(fields.length)];
  const [before, field, after] = [message.subarray(0, start), message.subarray(start, end), message.subarray(end)];
  if (content !== undefined && rng.below(8) > 0)
    return join(before, bytes(content.number, mutateMessage(message.subarray(content.start, end), rng)), after);
  switch (rng.below(4)) {
    case 0:
      return join(before, after);
    case 1:
      return join(before, field, field, after);
    case 2:
      return join(before, after, field);
    default:
      return join(before, mutateBytes(field, rng), after);
  }
}

function mutate(seed: Uint8Array, rng: Rng): Uint8Array {
  let file = seed;
  for (let times = 1 + rng.below(3); times > 0 && file.length > 0; times--)
    file = rng.below(4) === 0 ? mutateBytes(file, rng) : mutateMessage(file, rng);
  return file;
}

const count = Number(process.env["ONNX_MUTANTS"] ?? 20_000);

test(`${count} mutants of small models are read or refused`, async () => {
  const external = async () => bytesSource(new Uint8Array(16), "w");
  const codes = new Map<string, number>();
  let slowest = 0;
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const rng = createRng(`onnx mutant ${i}`);
    const file = mutate(seeds[i % seeds.length], rng);
    const began = performance.now();
    try {
      const model = await readOnnx(bytesSource(file, `mutant ${i}`), { external });
      for (const ref of model.graph.initializers.values())
        expect(weightBytes(ref), `mutant ${i}`).toBeLessThanOrEqual(file.length);
      const written = await onnxBytes(model);
      const again = await onnxBytes(await readOnnx(bytesSource(written, `mutant ${i}, written`)));
      expect(Buffer.compare(again, written), `mutant ${i} is written differently the second time`).toBe(0);
      codes.set("accepted", (codes.get("accepted") ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof LowbitError)) throw new Error(`mutant ${i}`, { cause: error });
      codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
    }
    slowest = Math.max(slowest, performance.now() - began);
  }
  const rate = Math.floor((1000 * count) / (performance.now() - start));
  const summary = Array.from(codes, ([code, times]) => `${times} ${code}`).join(", ");
  process.stdout.write(`${count} mutants, ${rate}/s, slowest ${slowest.toFixed(0)} ms: ${summary}\n`);
  expect(slowest).toBeLessThan(1000);
  // a mutator that only makes rubbish, or none, would test nothing
  for (const code of [
    "accepted",
    "onnx/truncated",
    "onnx/malformed",
    "onnx/invalid",
    "onnx/unsupported",
    "onnx/external-data",
    "model/missing-tensor",
  ]) {
    expect(codes.get(code) ?? 0, code).toBeGreaterThan(count / 1000);
  }
}, 600_000);
