/**
 * Raw numbers without a header, described by a small JSON file beside them:
 * { "data": "features.bin", "element": "int8", "shape": [49, 10], "scale": 0.5847, "zeroPoint": 83, "labels": "labels.json" }
 */
import * as v from "valibot";
import { LowbitError } from "#base/errors";
import { arrayDataset, onlyInput } from "#data/arrays/arrayDataset";
import { directoryOf, openIn, relativePath } from "#data/folder";
import { parseJson } from "#data/json";
import { labelsFromJson, readLabels } from "#data/labels";
import { readAll } from "#data/readAll";
import { type Rows, rowsOf } from "#data/rows";
import type { DataKind } from "#data/types";
import { packedBytes, sizeOf, toNumbers } from "#model/tensor";

const elements = [
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "float16",
  "float32",
  "float64",
] as const;

const schema = v.strictObject({
  /** The file of numbers, relative to the description. Little-endian, samples one after the other. */
  data: v.string(),
  element: v.picklist(elements),
  /** Of one sample. */
  shape: v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(1))), v.maxLength(8)),
  /** The number that a code q stands for is (q − zeroPoint) · scale. Without it the codes are the numbers. */
  scale: v.optional(v.pipe(v.number(), v.finite())),
  zeroPoint: v.optional(v.pipe(v.number(), v.integer())),
  /** A file of labels (.json or .npy), or the labels themselves. */
  labels: v.optional(v.union([v.string(), v.array(v.number())])),
});

export const featuresKind: DataKind = {
  about: 'raw numbers, described by a .json {"data", "element", "shape", "scale", "zeroPoint", "labels"}',
  many: false,
  named: (path) => path.endsWith(".features.json"),
  sniff: (head, path) => path.endsWith(".json") && /^\s*\{[^]*"element"\s*:/.test(new TextDecoder().decode(head)),
  async open([path], folder, options) {
    const file = await openIn(folder, path);
    const at = { file: file.name };
    const parsed = v.safeParse(schema, parseJson(await readAll(file, options.limits, "jsonBytes"), at));
    if (!parsed.success) {
      const issue = parsed.issues[0];
      throw new LowbitError("data/malformed", `${file.name}: ${v.getDotPath(issue) ?? "it"}: ${issue.message}`, {
        at,
        hint: `the keys are ${Object.keys(schema.entries).join(", ")}`,
      });
    }
    const { data, element, shape, scale, zeroPoint = 0, labels } = parsed.output;
    const inside = (name: string): string => directoryOf(path) + relativePath(name, at);
    const source = await openIn(folder, inside(data), { inside: true });
    const bytes = packedBytes(element, sizeOf(shape));
    const length = source.size / bytes;
    if (!Number.isInteger(length))
      throw new LowbitError(
        "data/malformed",
        `${source.name} has ${source.size} bytes, which are no samples of ${bytes} (${element} [${shape.join(", ")}])`,
        {
          at: { file: source.name },
        },
      );
    const codes = rowsOf(source, { type: element, dims: shape, length, offset: 0 });
    const rows = scale === undefined && zeroPoint === 0 ? codes : decoded(codes, scale ?? 1, zeroPoint);
    const found =
      typeof labels === "string"
        ? await readLabels(inside(labels), length, folder, options.limits)
        : labels && labelsFromJson(labels, length, at);
    if (typeof labels === "string" && found === undefined)
      throw new LowbitError("io/not-found", `${file.name} names its labels ${labels}, which is not there`, { at });
    const columns = [{ input: onlyInput(options.inputs, file.name), rows }];
    return arrayDataset({ name: file.name, kind: "features", columns, labels: found }, options);
  },
};

function decoded(codes: Rows, scale: number, zeroPoint: number): Rows {
  return {
    ...codes,
    type: "float32",
    async read(index) {
      const { dims, ...code } = await codes.read(index);
      const data = Float32Array.from(toNumbers({ dims, ...code }), (q) => (q - zeroPoint) * scale);
      return { type: "float32", dims, data };
    },
  };
}
