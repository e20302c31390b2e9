/** Files that the reference libraries of safetensors and GGUF wrote: read as they were meant, and written back byte for byte. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BytesSink, bytesSource } from "#base/bytes";
import { readGguf } from "#formats/gguf/readGguf";
import { writeGguf } from "#formats/gguf/writeGguf";
import { readSafetensors } from "#formats/safetensors/readSafetensors";
import { writeSafetensors } from "#formats/safetensors/writeSafetensors";
import { metadataText, metadataValue } from "#model/metadataText";

interface Golden {
  readonly base64: string;
  /** As `metadataText` writes them, the objects not as text. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, { readonly type: string; readonly shape: readonly number[]; readonly hex: string }>>;
}

const folder = new URL("tensorFiles/", import.meta.url);
const cases = readdirSync(folder).map((file) => [file.replace(".json", ""), file] as const);

test.each(cases)("%s", async (name, file) => {
  const golden = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Golden;
  const bytes = new Uint8Array(Buffer.from(golden.base64, "base64"));
  const [read, write] = name.startsWith("gguf") ? [readGguf, writeGguf] : [readSafetensors, writeSafetensors];
  const content = await read(bytesSource(bytes));
  const found = await Promise.all(
    content.tensors.map(async ({ name, type, shape, data }) => {
      const hex = Buffer.from(await data.read(0, data.size)).toString("hex");
      return [name, { type: type.name, shape, hex }] as const;
    }),
  );
  expect(new Map(found)).toEqual(new Map(Object.entries(golden.tensors)));
  const texts = Object.entries(golden.metadata).map(
    ([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)] as const,
  );
  expect(Array.from(content.metadata, ([key, value]) => [key, metadataText(value)])).toEqual(texts);
  for (const value of content.metadata.values()) expect(metadataValue(metadataText(value))).toEqual(value);
  const sink = new BytesSink();
  expect(await write(content, sink)).toBe(bytes.length);
  expect(Buffer.from(sink.bytes()).equals(bytes)).toBe(true);
});
