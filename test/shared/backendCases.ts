/** ONNX's backend tests: a model, inputs and the outputs that onnx's own definitions gave. */
import { bytesSource } from "#base/bytes";
import { parseTensorProto, readOnnx } from "#formats/onnx/index";
import type { Model } from "#model/model";
import type { Tensor } from "#model/tensor";
import { readWeight } from "#model/weights";
import { readTarGz } from "./tar";

export const backendSuites = ["simple", "node", "pytorch-operator", "pytorch-converted"] as const;

export interface BackendCase {
  readonly name: string;
  readonly model: Model;
  /**
   * By the names of the model's inputs and outputs. Undefined where the model has sequences, optionals or maps at its
   * edge.
   */
  readonly sets: readonly DataSet[] | undefined;
}

export interface DataSet {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** The cases of one suite, in order of their names. `folder` is where the archives are. */
export async function readBackendCases(folder: string, suite: (typeof backendSuites)[number]): Promise<BackendCase[]> {
  const files = readTarGz(`${folder}/${suite}.tar.gz`);
  const models = [...files.keys()].filter((path) => path.endsWith("/model.onnx")).sort();
  return Promise.all(
    models.map(async (path) => {
      const directory = path.slice(0, -"/model.onnx".length);
      const name = directory.slice(directory.lastIndexOf("/") + 1);
      // some cases break ONNX's rules on purpose; what they compute is still worth comparing
      const model = await readOnnx(bytesSource(files.get(path) as Uint8Array, name), { validate: false });
      return { name, model, sets: await readSets(model, files, directory) };
    }),
  );
}

async function readSets(
  model: Model,
  files: ReadonlyMap<string, Uint8Array>,
  directory: string,
): Promise<DataSet[] | undefined> {
  const { inputs, outputs } = model.graph;
  if ([...inputs, ...outputs].some(({ type }) => type?.kind !== "tensor")) return undefined;
  const read = async (names: readonly string[], set: string, kind: string): Promise<Record<string, Tensor>> => {
    const found: Record<string, Tensor> = {};
    for (const [i, name] of names.entries()) {
      const bytes = files.get(`${set}/${kind}_${i}.pb`);
      if (bytes !== undefined) found[name] = await readWeight(parseTensorProto(bytes, `${set}/${kind}_${i}`));
    }
    return found;
  };
  const sets: DataSet[] = [];
  for (let i = 0; files.has(`${directory}/test_data_set_${i}/output_0.pb`); i++) {
    const set = `${directory}/test_data_set_${i}`;
    const names = inputs.map((info) => info.name);
    sets.push({
      inputs: await read(names, set, "input"),
      outputs: await read(
        outputs.map((info) => info.name),
        set,
        "output",
      ),
    });
  }
  return sets;
}
