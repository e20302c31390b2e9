/** The real models of ../shared, with inputs that each of them takes. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bytesSource } from "#base/bytes";
import { createRng } from "#base/rng";
import { readOnnx } from "#formats/onnx/index";
import type { Model, ValueInfo } from "#model/model";
import { allocate, sizeOf, type Tensor } from "#model/tensor";

const folder = fileURLToPath(new URL("../../../shared/models/", import.meta.url));

/** Paths under ../shared/models; none where it is absent. */
export const zooFiles: readonly string[] = existsSync(folder)
  ? readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".onnx"))
      .sort()
  : [];

export async function readZooModel(file: string): Promise<Model> {
  return readOnnx(bytesSource(new Uint8Array(readFileSync(folder + file)), file));
}

/** Sizes for dims that models leave open. Sound needs hundreds of samples, images a few dozen pixels. */
const sizes: Readonly<Record<string, number>> = {
  batch: 1,
  seq: 6,
  sequence: 7,
  length: 9,
  frames: 4,
  samples: 3200,
  height: 64,
  width: 96,
};

/** Random numbers in [0, 1), and for integers 0 or 1, which every vocabulary has. The same every time. */
export function zooFeeds(file: string, model: Model): Record<string, Tensor> {
  const rng = createRng(file);
  return Object.fromEntries(
    model.graph.inputs.map((info): [string, Tensor] => {
      const { element, dims } = inputOf(file, info);
      const data = allocate(element, sizeOf(dims));
      for (let i = 0; i < data.length; i++) {
        if (data instanceof BigInt64Array) data[i] = BigInt(info.name === "sr" ? 16_000 : rng.below(2));
        else data[i] = element === "float32" ? rng.uniform() : rng.below(2);
      }
      return [info.name, { type: element, dims, data }];
    }),
  );
}

function inputOf(file: string, { name, type }: ValueInfo) {
  if (type?.kind !== "tensor" || type.element === undefined) throw new Error(`${name} is not a tensor`);
  const silero = file.includes("silero") && name === "input"; // a window of 512 samples and 64 before it
  const dims = (type.shape ?? []).map((dim, axis) => {
    if (silero && axis === 1) return 576;
    if (typeof dim === "number" && dim > 0) return dim;
    return sizes[String(dim)] ?? (axis === 0 ? 1 : 64);
  });
  return { element: type.element, dims };
}
