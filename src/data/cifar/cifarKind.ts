/**
 * CIFAR's binary files: records of one label byte (CIFAR-10) or a coarse and a fine one (CIFAR-100), and 3,072 bytes of red, green
 * and blue planes of 32 × 32. Format: cs.toronto.edu/~kriz/cifar.html.
 */
import type { ByteSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { arrayDataset, onlyInput } from "#data/arrays/arrayDataset";
import { openIn } from "#data/folder";
import { joinRows, type Rows, rowsOf } from "#data/rows";
import type { DataKind } from "#data/types";

const pixelBytes = 3072;
const tenBytes = 1 + pixelBytes;
const hundredBytes = 2 + pixelBytes;
/** Records read at once when the labels are collected: 3 MB. */
const blockRecords = 1024;

interface Batch {
  readonly rows: Rows;
  readonly labels: readonly number[];
}

async function readBatch(source: ByteSource): Promise<Batch> {
  const record = source.size % tenBytes === 0 ? tenBytes : hundredBytes;
  const length = source.size / record;
  if (source.size === 0 || !Number.isInteger(length))
    throw new LowbitError(
      "data/malformed",
      `${source.name} has ${source.size} bytes, which are no records of ${tenBytes} (CIFAR-10) or ${hundredBytes} (CIFAR-100)`,
      {
        at: { file: source.name },
        hint: "take the binary version of the data set; for your own raw arrays write a .json that describes them",
      },
    );
  const classes = record === tenBytes ? 10 : 100;
  const offset = record - pixelBytes;
  const labels: number[] = [];
  for (let first = 0; first < length; first += blockRecords) {
    const block = await source.read(first * record, Math.min(blockRecords, length - first) * record);
    for (let at = offset - 1; at < block.length; at += record) {
      if (block[at] >= classes)
        throw new LowbitError(
          "data/malformed",
          `${source.name}: record ${labels.length} has label ${block[at]}; this is no CIFAR-${classes} file`,
          {
            at: { file: source.name, byte: first * record + at },
          },
        );
      labels.push(block[at]);
    }
  }
  return { rows: rowsOf(source, { type: "uint8", dims: [3, 32, 32], length, offset, stride: record }), labels };
}

/** One file, or all of a folder: of one with training and test files, the test files. */
export const cifarKind: DataKind = {
  about: "CIFAR-10's and CIFAR-100's binary files (.bin)",
  many: true,
  named: (path) => path.endsWith(".bin"),
  sniff: () => false,
  async open(paths, folder, options) {
    const batches = await Promise.all(paths.map(async (path) => readBatch(await openIn(folder, path))));
    const name = paths.length === 1 ? batches[0].rows.name : folder.name;
    const columns = [{ input: onlyInput(options.inputs, name), rows: joinRows(batches.map(({ rows }) => rows)) }];
    const labels = { labels: batches.flatMap((batch) => batch.labels) };
    return arrayDataset({ name, kind: "cifar", columns, labels, pixels: "cifar" }, options);
  },
};
