import { LowbitError, type Place } from "#base/errors";
import { onlyInput } from "#data/arrays/arrayDataset";
import { openIn } from "#data/folder";
import { isObject, parseJson } from "#data/json";
import { openLines } from "#data/jsonl/lines";
import { nestedTensor } from "#data/jsonl/nestedTensor";
import { checkLabel } from "#data/labels";
import { matchInput } from "#data/matchInput";
import { textDataset } from "#data/text/textKind";
import type { DataKind, Dataset, ModelInput, Sample } from "#data/types";
import type { Tensor } from "#model/tensor";

/**
 * One sample a line: {"inputs": {"x": [[…]]}, "label": 3}, the inputs without that wrapper ({"input_ids": […], "label": 3}), or for a
 * model with one input the bare array. Lines of {"text": …} are read as text.
 */
export const jsonlKind: DataKind = {
  about: 'one sample a line (.jsonl): {"inputs": {name: numbers}, "label": n}, a bare array, or {"text": …}',
  many: false,
  named: (path) => /\.(jsonl|ndjson)$/.test(path),
  sniff: () => false,
  async open([path], folder, options) {
    const source = await openIn(folder, path);
    const { name } = source;
    const lines = await openLines(source, options.limits.jsonBytes);
    const placeOf = (index: number): Place => ({ file: name, line: lines.number(index) });
    const parse = async (index: number): Promise<unknown> => parseJson(await lines.read(index), placeOf(index));
    if (lines.length === 0) throw new LowbitError("data/none", `${name} holds no samples`, { at: { file: name } });

    const first = await parse(0);
    if (isText(first)) {
      const texts: string[] = [];
      for (let i = 0; i < lines.length; i++) {
        const row = await parse(i);
        if (!isText(row))
          throw new LowbitError("data/malformed", `${name}, line ${lines.number(i)} has no "text"`, { at: placeOf(i) });
        texts.push(row.text);
      }
      return textDataset(name, "jsonl", texts, options);
    }
    const labelled = isObject(first) && first.label !== undefined;
    const read = (row: unknown, index: number): Sample =>
      toSample(row, placeOf(index), `${name}#${index}`, labelled, options.inputs);
    read(first, 0); // a file that does not fit the model is refused when it is opened
    const dataset: Dataset = {
      name,
      kind: "jsonl",
      length: lines.length,
      labelled,
      diagnostics: [],
      sample: async (index) => read(await parse(index), index),
    };
    return dataset;
  },
};

function isText(row: unknown): row is { readonly text: string } {
  return isObject(row) && typeof row.text === "string" && row.inputs === undefined;
}

function toSample(row: unknown, at: Place, id: string, labelled: boolean, inputs: readonly ModelInput[]): Sample {
  const where = `${at.file}, line ${at.line}`;
  const given = isObject(row) ? (row.inputs ?? row) : undefined;
  if (given !== undefined && !isObject(given))
    throw new LowbitError("data/malformed", `${where}: "inputs" is no object`, { at });
  const tensors = given === undefined ? [[onlyInput(inputs, where).name, row] as const] : Object.entries(given);
  const byName = new Map(tensors);
  const feeds = inputs.map((input): [string, Tensor] => {
    const value = byName.get(input.name);
    if (value === undefined)
      throw new LowbitError(
        "data/shape",
        `${where} has no input ${input.name}; it has ${[...byName.keys()].join(", ")}`,
        {
          at: { ...at, tensor: input.name },
          hint: "name the inputs as the model does",
        },
      );
    const numbers = nestedTensor(value, !input.type.startsWith("float") && input.type !== "bfloat16", at);
    return [input.name, matchInput({ name: where, type: numbers.type, dims: numbers.dims }, input, at).apply(numbers)];
  });
  const sample = { inputs: Object.fromEntries(feeds), id };
  if (!labelled) return sample;
  return { ...sample, label: checkLabel(isObject(row) ? row.label : undefined, `line ${at.line}`, at) };
}
