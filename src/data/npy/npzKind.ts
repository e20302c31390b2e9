import { LowbitError } from "#base/errors";
import { arrayDataset, type Column } from "#data/arrays/arrayDataset";
import { openIn } from "#data/folder";
import { labelsFromTensor } from "#data/labels";
import { openNpz } from "#data/npy/npz";
import { type Rows, rowsOfTensor } from "#data/rows";
import type { DataKind, ModelInput } from "#data/types";
import type { Tensor } from "#model/tensor";

/** What an array of labels is called in an archive. */
const labelNames = ["labels", "label", "y"];

/**
 * NumPy arrays by name: each input of the model is fed by the array of its name; a model with one input also by the only array that
 * holds no labels. An array that is one number is the same for all samples.
 */
export const npzKind: DataKind = {
  about: "NumPy arrays by the names of the model's inputs (.npz), with labels or y",
  many: false,
  named: (path) => path.endsWith(".npz"),
  sniff: (head) => head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5),
  async open([path], folder, options) {
    const source = await openIn(folder, path);
    const archive = await openNpz(source, options.limits);
    const at = { file: source.name };
    const inputs = new Set(options.inputs.map((input) => input.name));
    const labelName = labelNames.find((name) => archive.names.includes(name) && !inputs.has(name));
    const data = archive.names.filter((name) => name !== labelName);
    const tensors: { input: ModelInput; name: string; value: Tensor }[] = [];
    for (const input of options.inputs) {
      const name = archive.names.includes(input.name)
        ? input.name
        : inputs.size === 1 && data.length === 1
          ? data[0]
          : undefined;
      if (name === undefined)
        throw new LowbitError(
          "data/shape",
          `${source.name} has no array for input ${input.name}; it has ${archive.names.join(", ")}`,
          {
            at: { ...at, tensor: input.name },
            hint: `name the arrays as the model names its inputs: ${[...inputs].join(", ")}`,
          },
        );
      tensors.push({ input, name, value: await archive.read(name) });
    }
    const length = tensors.find(({ value }) => value.dims.length > 0)?.value.dims[0] ?? 1;
    const columns = tensors.map(({ input, name, value }): Column => {
      const called = `${source.name}/${name}`;
      return {
        input,
        rows: value.dims.length === 0 ? constantRows(value, length, called) : rowsOfTensor(value, called),
      };
    });
    const labels = labelName === undefined ? undefined : labelsFromTensor(await archive.read(labelName), length, at);
    return arrayDataset({ name: source.name, kind: "npz", columns, labels }, options);
  },
};

/** The same number for each sample: a sampling rate, a switch. */
function constantRows(value: Tensor, length: number, name: string): Rows {
  return { name, type: value.type, dims: [], length, read: async () => value };
}
