/**
 * MNIST's idx files: 0, 0, element type, rank; one big-endian uint32 per axis; big-endian elements.
 * Format: yann.lecun.com/exdb/mnist (bottom of the page).
 */
import type { ByteSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { arrayDataset, onlyInput } from "#data/arrays/arrayDataset";
import { type Folder, openIn } from "#data/folder";
import { type Labels, labelsFromTensor } from "#data/labels";
import { type Rows, rowsOf } from "#data/rows";
import type { DataKind } from "#data/types";
import { type ElementType, packedBytes, sizeOf } from "#model/tensor";

const types: Readonly<Record<number, ElementType>> = {
  0x08: "uint8",
  0x09: "int8",
  0x0b: "int16",
  0x0c: "int32",
  0x0d: "float32",
  0x0e: "float64",
};

/** An idx file as rows along its first axis. Throws `data/malformed`, `data/unsupported`. */
async function readIdx(source: ByteSource): Promise<Rows> {
  const at = { file: source.name };
  const head = await source.read(0, Math.min(source.size, 4 + 4 * 255));
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (!isIdx(head))
    throw new LowbitError("data/malformed", `${source.name} is no idx file`, { at: { ...at, byte: 0 } });
  const type = types[head[2]];
  const rank = head[3];
  const offset = 4 + 4 * rank;
  if (offset > head.length)
    throw new LowbitError("data/malformed", `${source.name} ends inside its header`, {
      at: { ...at, byte: head.length },
    });
  const dims = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const needed = packedBytes(type, sizeOf(dims));
  if (!(needed <= source.size - offset))
    throw new LowbitError(
      "data/malformed",
      `${source.name}: ${type} [${dims.join(", ")}] needs ${needed} bytes; ${source.size - offset} are left`,
      {
        at: { ...at, byte: offset },
        hint: "the download may be incomplete",
      },
    );
  return rowsOf(source, { type, dims: dims.slice(1), length: dims[0], offset, bigEndian: true });
}

function isIdx(head: Uint8Array): boolean {
  return head.length >= 8 && head[0] === 0 && head[1] === 0 && types[head[2]] !== undefined && head[3] > 0;
}

const names = /(^|[/.-])idx\d-ubyte$|\.idx\d?$/;
const labelNames = /labels[.-]idx1|\.idx1$/;

/** Images of an idx file; the labels are in the file of the same name with "labels" for "images" and idx1 for idx3. */
export const idxKind: DataKind = {
  about: "MNIST's idx files (.gz too), with the labels file beside",
  many: false,
  named: (path) => names.test(path) && !labelNames.test(path),
  sniff: (head) => isIdx(head) && head[2] === 8 && head[3] >= 2,
  async open([path], folder, options) {
    const source = await openIn(folder, path);
    const rows = await readIdx(source);
    const labels = await labelsBeside(path, rows.length, folder);
    const columns = [{ input: onlyInput(options.inputs, source.name), rows }];
    return arrayDataset({ name: source.name, kind: "idx", columns, labels, pixels: "unit" }, options);
  },
};

async function labelsBeside(path: string, count: number, folder: Folder): Promise<Labels | undefined> {
  const name = path.replace("images", "labels").replace(/idx\d/, "idx1");
  const source = name === path ? undefined : await folder.open(name);
  if (source === undefined) return undefined;
  const { length, type, dims } = await readIdx(source);
  const bytes = await source.read(source.size - length, length);
  if (type !== "uint8" || dims.length > 0)
    throw new LowbitError(
      "data/labels",
      `${source.name} holds ${type} [${[length, ...dims].join(", ")}], not one byte per sample`,
      {
        at: { file: source.name },
      },
    );
  return labelsFromTensor({ type, dims: [length], data: bytes }, count, { file: source.name });
}
