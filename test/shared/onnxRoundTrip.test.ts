/**
 * Every real model at hand is read, written and read again, and means the same: to us (all fields and every weight) and to ONNX
 * Runtime (the same output bits), where that runs the original at all.
 */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import { createRng } from "#base/rng";
import { onnxBytes, parseTensorProto, readOnnx } from "#formats/onnx/index";
import type { Model, TensorRef } from "#model/model";
import { allocate, sizeOf, type Tensor } from "#model/tensor";
import { readWeight, readWeightBytes } from "#model/weights";
import { readTarGz } from "./tar";

const models = "../shared/models";
const backendTests = "../shared/data/onnx-backend-tests";

type Verdict = "equal" | "different" | "broken" | "random" | "not run" | "crash" | "no inputs";

/** One child at a time; when a model takes it down the next gets a fresh one. */
class Twins {
  #child: ChildProcess | undefined;
  #serial = 0;

  async compare(
    original: Uint8Array,
    rewritten: Uint8Array,
    feeds: Readonly<Record<string, Tensor>>,
  ): Promise<{ verdict: Verdict; detail?: string }> {
    this.#child ??= fork(fileURLToPath(new URL("ortTwins.mjs", import.meta.url)), {
      serialization: "advanced",
      stdio: "ignore",
    });
    const child = this.#child;
    const id = this.#serial++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
      const done = (answer: { verdict: Verdict; detail?: string }): void => {
        clearTimeout(timer);
        child.off("message", onMessage);
        child.off("exit", onExit);
        resolve(answer);
      };
      const onMessage = (answer: { id: number; verdict: Verdict; detail?: string }): void => {
        if (answer.id === id) done(answer);
      };
      const onExit = (): void => {
        this.#child = undefined;
        done({ verdict: "crash" });
      };
      child.on("message", onMessage);
      child.on("exit", onExit);
      child.send({ id, original, rewritten, feeds });
    });
  }

  close(): void {
    this.#child?.kill("SIGKILL");
  }
}

/** A model with every weight loaded, and without what is not in the file: fit for `toEqual`. */
async function comparable(model: Model): Promise<unknown> {
  const loads: Promise<void>[] = [];
  const visit = (value: unknown): unknown => {
    if (value instanceof Map) return new Map(Array.from(value, ([key, item]) => [key, visit(item)]));
    if (Array.isArray(value)) return value.map(visit);
    if (ArrayBuffer.isView(value))
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
    if (typeof value !== "object" || value === null) return value;
    if ("element" in value && "data" in value && "dims" in value) {
      const { data, ...rest } = value as TensorRef;
      if (data.kind === "strings") return { ...rest, data: data.values.map(visit) };
      const loaded: { data?: unknown } = {};
      loads.push(readWeightBytes(value as TensorRef).then((bytes) => void (loaded.data = visit(bytes))));
      return Object.assign(loaded, rest);
    }
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, visit(item)]])),
    );
  };
  const found = visit({ ...model, origin: undefined });
  await Promise.all(loads);
  return found;
}

/** An input that any model of images, sound or tokens takes: symbols become small sizes, values small numbers. */
function syntheticInput(type: Tensor["type"], shape: readonly (number | string | null)[]): Tensor {
  const long = type === "float32" && shape.length === 2 ? 1024 : 32; // sound, else tokens or pixels
  const dims = shape.map((dim, i) => (typeof dim === "number" ? dim : i === 0 ? 1 : long));
  const data = allocate(type, sizeOf(dims));
  const rng = createRng(1);
  for (let i = 0; i < data.length; i++) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(rng.below(2));
    else if (data instanceof Float32Array || data instanceof Float64Array) data[i] = rng.uniform();
    else if (Array.isArray(data)) data[i] = "text";
    else data[i] = rng.below(2);
  }
  return { type, dims, data };
}

function syntheticFeeds(model: Model): Record<string, Tensor> | undefined {
  const feeds: Record<string, Tensor> = {};
  for (const { name, type } of model.graph.inputs) {
    if (type?.kind !== "tensor" || type.element === undefined || type.shape === undefined) return undefined;
    feeds[name] = syntheticInput(type.element, type.shape);
  }
  return feeds;
}

/** The inputs stored with a backend test; undefined when one is a sequence or optional, which ONNX Runtime's binding cannot take. */
async function storedFeeds(
  model: Model,
  files: ReadonlyMap<string, Uint8Array>,
  folder: string,
): Promise<Record<string, Tensor> | undefined> {
  const feeds: Record<string, Tensor> = {};
  for (const [i, { name, type }] of model.graph.inputs.entries()) {
    const bytes = files.get(`${folder}/test_data_set_0/input_${i}.pb`);
    if (bytes === undefined || type?.kind !== "tensor") return undefined;
    feeds[name] = await readWeight(parseTensorProto(bytes, `${folder}/input_${i}.pb`));
  }
  return feeds;
}

const twins = new Twins();
afterAll(() => twins.close());

class Tally {
  read = 0;
  readonly verdicts = new Map<Verdict, number>();
  readonly bad: string[] = [];

  async check(
    name: string,
    file: Uint8Array,
    feedsOf: (model: Model) => Promise<Record<string, Tensor> | undefined>,
  ): Promise<void> {
    const model = await readOnnx(bytesSource(file, name));
    const rewritten = await onnxBytes(model);
    const again = await readOnnx(bytesSource(rewritten, name));
    expect(await comparable(again), name).toEqual(await comparable(model));
    expect(Buffer.compare(await onnxBytes(again), rewritten), `${name}: the same model, the same bytes`).toBe(0);
    this.read++;
    const feeds = await feedsOf(model);
    const { verdict, detail = "" }: { verdict: Verdict; detail?: string } =
      feeds === undefined ? { verdict: "no inputs" } : await twins.compare(file, rewritten, feeds);
    this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1);
    if (verdict === "different" || verdict === "broken") this.bad.push(`${name}: ${verdict} ${detail}`);
  }

  report(what: string): void {
    const counts = Array.from(this.verdicts, ([verdict, count]) => `${count} ${verdict}`).join(", ");
    process.stdout.write(`${what}: ${this.read} models read and written alike; in ONNX Runtime: ${counts}\n`);
    expect(this.bad).toEqual([]);
  }
}

describe.skipIf(!existsSync(models))("real models survive reading and writing (needs ../shared)", () => {
  test("the zoo", async () => {
    const tally = new Tally();
    const files = readdirSync(models, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".onnx"));
    for (const file of files.sort()) {
      await tally.check(file, new Uint8Array(readFileSync(`${models}/${file}`)), async (model) =>
        syntheticFeeds(model),
      );
    }
    tally.report("zoo");
    expect(tally.read).toBe(files.length);
    expect(tally.verdicts.get("equal")).toBeGreaterThan(files.length / 2);
  }, 120_000);

  test.each(["node", "simple", "pytorch-operator", "pytorch-converted"])(
    "ONNX's own tests: %s",
    async (archive) => {
      const tally = new Tally();
      const files = readTarGz(`${backendTests}/${archive}.tar.gz`);
      for (const [name, file] of files) {
        if (!name.endsWith("/model.onnx")) continue;
        const folder = name.slice(0, -"/model.onnx".length);
        await tally.check(name, file, (model) => storedFeeds(model, files, folder));
      }
      tally.report(archive);
      expect(tally.read).toBeGreaterThan(20);
      expect(tally.verdicts.get("equal")).toBeGreaterThan(tally.read / 3);
    },
    120_000,
  );
});
