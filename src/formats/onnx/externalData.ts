/**
 * Tensor content in another file: what the entries of `external_data` may say.
 *
 * The rules answer six CVEs of the onnx package (docs/ExternalDataSecurity.md there): a closed list of keys, plain non-negative
 * integers, a location that cannot leave the model's folder by its spelling, and a range that lies inside the file. That no
 * symbolic link leads outside is checked where files are opened (`onnxFile.node`).
 */
import type { LowbitError } from "#base/errors";
import { locationProblem } from "#base/location";
import type { Context } from "#formats/onnx/context";
import type { Message } from "#formats/onnx/schema";
import type { TensorData } from "#model/model";

type Fail = (code: LowbitError["code"], what: string, hint?: string) => LowbitError;

const keys: ReadonlySet<string> = new Set(["location", "offset", "length", "checksum", "basepath"]);

/** Where the content is, by the entries alone. `checksum` and `basepath` are accepted and not used, as ONNX Runtime does. */
export function parseExternalData(
  entries: readonly Message<"StringStringEntry">[],
  fail: Fail,
): { readonly location: string; readonly offset: number; readonly length: number | undefined } {
  const found = new Map<string, string>();
  for (const { key = "", value = "" } of entries) {
    if (!keys.has(key)) throw fail("onnx/external-data", `has the unknown external_data key ${JSON.stringify(key)}`);
    if (found.has(key)) throw fail("onnx/external-data", `has the external_data key ${key} twice`);
    found.set(key, value);
  }
  const location = found.get("location");
  if (location === undefined) throw fail("onnx/external-data", "is in another file but does not say which");
  const problem = locationProblem(location);
  if (problem !== undefined) throw fail("onnx/external-data", `is in ${JSON.stringify(location)}, which ${problem}`);
  const integer = (key: string): number | undefined => {
    const text = found.get(key);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value)) return value;
    throw fail("onnx/external-data", `has the external_data ${key} ${JSON.stringify(text.slice(0, 40))}`);
  };
  return { location, offset: integer("offset") ?? 0, length: integer("length") };
}

/** The range of a tensor of `length` bytes; `context.external` has its file. */
export function readExternalData(
  entries: readonly Message<"StringStringEntry">[],
  length: number,
  context: Context,
  fail: Fail,
): TensorData {
  const where = parseExternalData(entries, fail);
  const source = context.external.get(where.location);
  if (source === undefined)
    throw fail(
      "onnx/external-data",
      `is in ${where.location}, which was not given`,
      `give ${where.location} together with the model`,
    );
  if (where.length !== undefined && where.length !== length)
    throw fail("onnx/external-data", `needs ${length} bytes; its external_data says ${where.length}`);
  if (where.offset + length > source.size) {
    const what = `is at ${where.offset} … ${where.offset + length} of ${source.name}, which has ${source.size} bytes`;
    throw fail("onnx/external-data", what, "the file may be incomplete, or belong to another model");
  }
  return { kind: "range", source, offset: where.offset, length };
}

/** Where a tensor's content goes. */
export interface ExternalPlace {
  readonly location: string;
  readonly offset: number;
}

export function writeExternalData({ location, offset }: ExternalPlace, length: number): Message<"StringStringEntry">[] {
  return [
    { key: "location", value: location },
    { key: "offset", value: String(offset) },
    { key: "length", value: String(length) },
  ];
}
