/**
 * Every real model at hand is read, written and read again, and means the same: to us (all fields and every weight) and to ONNX
 * Runtime (the same output bits), where that runs the original at all.
 */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import { createRng } from "#base/rng";
import { onnxBytes, parseTensorProto, readOnnx } from "#formats/onnx/index";
import { openOnnxFile, saveOnnxFile } from "#formats/onnx/onnxFile.node";
import type { Model, TensorRef } from "#model/model";
import { allocate, sizeOf, type Tensor } from "#model/tensor";
import { readWeight, readWeightBytes } from "#model/weights";
import { readTarGz } from "./tar";

const models = "../shared/models";
const backendTests = "../shared/data/onnx-backend-tests";

type Feeds = Readonly<Record<string, Tensor>>;
type Verdict = "equal" | "different" | "broken" | "random" | "not run" | "crash" | "no inputs";
interface Answer {
  readonly verdict: Verdict;
  readonly detail?: string;
}

/** One child at a time; when a model takes it down the next gets a fresh one. */
class Twins {
  #child: ChildProcess | undefined;
  #serial = 0;

  /** `rewritten`: the bytes of a model, or its path. */
  async compare(original: Uint8Array, rewritten: Uint8Array | string, feeds: Feeds): Promise<Answer> {
    this.#child ??= fork(fileURLToPath(new URL("ortTwins.mjs", import.meta.url)), {
      serialization: "advanced",
      stdio: "ignore",
    });
    const child = this.#child;
    const id = this.#serial++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
      const done = (answer: Answer): void => {
        clearTimeout(timer);
        child.off("message", onMessage);
        child.off("exit", onExit);
        resolve(answer);
      };
      const onMessage = (answer: Answer & { readonly id: number }): void => {
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

  /** `again`: what our reader makes of `rewritten`. */
  async compare(
    name: string,
    [original, model]: readonly [Uint8Array, Model],
    [rewritten, again]: readonly [Uint8Array | string, Model],
    feeds: Feeds | undefined,
  ): Promise<void> {
    expect(await comparable(again), name).toEqual(await comparable(model));
    this.read++;
    const { verdict, detail = "" }: Answer =
      feeds === undefined ? { verdict: "no inputs" } : await twins.compare(original, rewritten, feeds);
    this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1);
    if (verdict === "different" || verdict === "broken") this.bad.push(`${name}: ${verdict} ${detail}`);
  }

  /** Writes into memory and compares. */
  async roundTrip(name: string, file: Uint8Array, model: Model, feeds: Feeds | undefined): Promise<void> {
    const rewritten = await onnxBytes(model);
    const again = await readOnnx(bytesSource(rewritten, name));
    await this.compare(name, [file, model], [rewritten, again], feeds);
    expect(Buffer.compare(await onnxBytes(again), rewritten), `${name}: the same model, the same bytes`).toBe(0);
  }

  report(what: string): void {
    const counts = Array.from(this.verdicts, ([verdict, count]) => `${count} ${verdict}`).join(", ");
    process.stdout.write(`${what}: ${this.read} models read and written alike; in ONNX Runtime: ${counts}\n`);
    expect(this.bad).toEqual([]);
    expect(this.read).toBeGreaterThan(20);
    expect(this.verdicts.get("equal")).toBeGreaterThan(this.read / 2);
  }
}

describe.skipIf(!existsSync(models))("real models survive reading and writing (needs ../shared)", () => {
  const zoo = existsSync(models)
    ? readdirSync(models, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".onnx"))
        .sort()
    : [];
  const load = async (name: string): Promise<[Uint8Array, Model]> => {
    const file = new Uint8Array(readFileSync(`${models}/${name}`));
    return [file, await readOnnx(bytesSource(file, name))];
  };

  test("the zoo", async () => {
    const tally = new Tally();
    for (const name of zoo) {
      const [file, model] = await load(name);
      await tally.roundTrip(name, file, model, syntheticFeeds(model));
    }
    tally.report("zoo");
    expect(tally.read).toBe(zoo.length);
  }, 120_000);

  test("the zoo, with its weights in a second file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lowbit-zoo-"));
    const tally = new Tally();
    try {
      for (const name of zoo) {
        const [file, model] = await load(name);
        const path = join(folder, basename(name));
        await saveOnnxFile(model, path, { externalData: true });
        const { model: again, close } = await openOnnxFile(path);
        await tally.compare(name, [file, model], [path, again], syntheticFeeds(model));
        await close();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    tally.report("zoo with external data");
  }, 120_000);

  test.each(["node", "simple", "pytorch-operator", "pytorch-converted"])(
    "ONNX's own tests: %s",
    async (archive) => {
      const tally = new Tally();
      const files = readTarGz(`${backendTests}/${archive}.tar.gz`);
      for (const [name, file] of files) {
        if (!name.endsWith("/model.onnx")) continue;
        const model = await readOnnx(bytesSource(file, name));
        const feeds = await storedFeeds(model, files, name.slice(0, -"/model.onnx".length));
        await tally.roundTrip(name, file, model, feeds);
      }
      tally.report(archive);
    },
    120_000,
  );
});
