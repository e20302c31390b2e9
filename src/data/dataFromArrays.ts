import { LowbitError } from "#base/errors";
import { arrayDataset } from "#data/arrays/arrayDataset";
import { checkLabels } from "#data/labels";
import { type DataOptions, readOptions, sampled } from "#data/openData";
import { rowsOfTensor } from "#data/rows";
import type { Dataset } from "#data/types";
import type { Tensors } from "#model/session";

/**
 * Tensors in memory as samples: one for each input of the model, by name; the first axis counts the samples.
 * @param labels a class index for each. Throws as `openDataIn`.
 */
export function dataFromArrays(
  arrays: Tensors,
  options: DataOptions & { readonly labels?: readonly number[] },
): Dataset {
  const columns = options.inputs.map((input) => {
    const value = Object.hasOwn(arrays, input.name) ? arrays[input.name] : undefined;
    if (value === undefined)
      throw new LowbitError(
        "data/shape",
        `there is no array for input ${input.name}; there are ${Object.keys(arrays).join(", ")}`,
        {
          at: { tensor: input.name },
        },
      );
    return { input, rows: rowsOfTensor(value, input.name) };
  });
  const labels = options.labels && { labels: checkLabels(options.labels, columns[0].rows.length, { file: "labels" }) };
  return sampled(arrayDataset({ name: "arrays", kind: "arrays", columns, labels }, readOptions(options)), options);
}
