import { arrayDataset, onlyInput } from "#data/arrays/arrayDataset";
import { openIn } from "#data/folder";
import { siblingLabels } from "#data/labels";
import { readNpyRows } from "#data/npy/npy";
import { isNpy } from "#data/npy/npyHeader";
import type { DataKind } from "#data/types";

/** One NumPy array: the first axis counts the samples, read one at a time. Labels from `<name>.labels.npy` or `.labels.json`. */
export const npyKind: DataKind = {
  about: "a NumPy array (.npy), first axis = samples",
  many: false,
  named: (path) => path.endsWith(".npy") && !path.endsWith(".labels.npy"),
  sniff: (head) => isNpy(head),
  async open([path], folder, options) {
    const source = await openIn(folder, path);
    const rows = await readNpyRows(source, options.limits);
    const columns = [{ input: onlyInput(options.inputs, source.name), rows }];
    const labels = await siblingLabels(path, rows.length, folder, options.limits);
    return arrayDataset({ name: source.name, kind: "npy", columns, labels }, options);
  },
};
