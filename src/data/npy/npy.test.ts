import { readdirSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import { defaultLimits } from "#base/limits";
import { readNpy, readNpyRows, writeNpy } from "#data/npy/npy";
import { type ElementType, elementTypes, fromNumbers, sizeOf, type Tensor, toNumbers } from "#model/tensor";

interface Golden {
  readonly file: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly values: readonly string[];
}

const folder = new URL("../../../test/golden/npy/", import.meta.url);
const cases = readdirSync(folder).map((file): [string, Golden] => [
  file.replace(".json", ""),
  JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Golden,
]);
const sourceOf = (golden: Golden) => bytesSource(new Uint8Array(Buffer.from(golden.file, "base64")), "golden.npy");

/** Elements as text, exact for every type: Python's inf is JavaScript's Infinity. */
const written = (value: Tensor): string[] =>
  Array.from(value.type === "float16" ? toNumbers(value) : (value.data as ArrayLike<number | bigint>), (x) =>
    typeof x === "bigint" ? String(x) : String(Object.is(x, -0) ? "-0" : x),
  );
const expected = (golden: Golden): string[] =>
  golden.values.map((text) => {
    if (/^-?\d+$/.test(text)) return text;
    const x = Number(text.replace("inf", "Infinity").replace("nan", "NaN"));
    return Object.is(x, -0) ? "-0" : String(x);
  });

describe("reading what NumPy wrote", () => {
  test.each(cases)("%s", async (_, golden) => {
    const value = await readNpy(sourceOf(golden), defaultLimits);
    expect(value.type).toBe(golden.type);
    expect(value.dims).toEqual(golden.shape);
    expect(written(value)).toEqual(expected(golden));
  });

  test.each(cases.filter(([, golden]) => golden.shape.length > 0))("%s, row by row", async (_, golden) => {
    const rows = await readNpyRows(sourceOf(golden), defaultLimits);
    expect([rows.length, ...rows.dims]).toEqual(golden.shape);
    const all: string[] = [];
    for (let i = 0; i < rows.length; i++) all.push(...written(await rows.read(i)));
    expect(all).toEqual(expected(golden));
  });
});

describe("writing", () => {
  const types = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float16", "float32"] as const;

  test("what is written reads back the same, element for element", async () => {
    const dims = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom<ElementType>(...types), dims, fc.nat(), async (type, shape, start) => {
        const numbers = Array.from({ length: sizeOf(shape) }, (_, i) => (start + i * 7) % 120);
        const value = fromNumbers(type, shape, numbers);
        expect(await readNpy(bytesSource(writeNpy(value)), defaultLimits)).toEqual(value);
      }),
    );
  });

  test("elements start at a multiple of 64 bytes, so that the file can be memory-mapped", () => {
    for (const dims of [[], [1], [1234567, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
      const empty = { type: "float32", dims: [...dims, 0], data: new Float32Array(0) } as const;
      expect(writeNpy(empty).length % 64).toBe(0);
    }
  });

  test("NumPy's own bytes come out for what NumPy wrote in its usual form", async () => {
    const plain = cases.filter(([name]) => /little$|^vector$|^scalar$|^empty$/.test(name));
    expect(plain.length).toBeGreaterThan(14);
    for (const [, golden] of plain) {
      const value = await readNpy(sourceOf(golden), defaultLimits);
      expect(Buffer.from(writeNpy(value)).toString("base64")).toBe(golden.file);
    }
  });

  test("types that NumPy does not have are refused", () => {
    const value: Tensor = { type: "bfloat16", dims: [1], data: Uint16Array.of(0) };
    expect(elementTypes.bfloat16.bits).toBe(16);
    expect(() => writeNpy(value)).toThrow(/bfloat16 has no npy form/);
  });
});
