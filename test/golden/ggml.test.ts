/**
 * ggml's blocks, byte for byte: vectors of gguf-py, and hard rows through ggml's own library (bench/peers/make_ggml_fixtures.py
 * makes those files; bench/peers/compare_ggml.py compares many more).
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeGgml, encodeGgml } from "#quant/ggml/codec";
import { type GgmlTypeName, ggmlTypes } from "#quant/ggml/index";
import { getMin, getScale, putScales } from "#quant/ggml/sixBitScales";

interface Vectors {
  readonly source: string;
  readonly rows: Readonly<Record<string, { readonly values: readonly number[] }>>;
  readonly layouts: readonly {
    readonly type: GgmlTypeName;
    readonly elements: number;
    readonly bytes: number;
    readonly bitsPerWeight: number;
  }[];
  readonly encode: readonly {
    readonly type: GgmlTypeName;
    readonly row: string;
    /** Hexadecimal. */
    readonly blocks: string;
    readonly meanSquaredError: number;
    /** The blocks that fused multiply-add gives, where they are others. */
    readonly fused?: string;
  }[];
  readonly decode: {
    readonly blocks: readonly {
      readonly type: GgmlTypeName;
      /** Where the float16 numbers lie. */
      readonly d: number;
      readonly dmin?: number;
      readonly sum: number;
      readonly sumOfSquares: number;
      readonly first: readonly number[];
      readonly last: readonly number[];
    }[];
  };
  readonly sixBitScales: {
    readonly bytes: readonly number[];
    readonly scales: readonly number[];
    readonly minima: readonly number[];
  };
}

/** Base64 each: float32 rows, blocks. */
interface Rows {
  readonly rows: Readonly<Record<string, string>>;
  readonly importance: string;
}

interface TypeFile {
  readonly source: string;
  readonly type: GgmlTypeName;
  readonly plain: Readonly<Record<string, string>>;
  readonly weighted?: Readonly<Record<string, string>>;
  readonly decode: { readonly blocks: string; readonly numbers: string };
}

const folder = new URL("./ggml/", import.meta.url);
const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, folder), "utf8"));
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));
const floatsOf = (text: string): Float32Array => new Float32Array(bytesOf(text).buffer);
const sum = (x: Float32Array | readonly number[]): number => [...x].reduce((total, v) => total + v, 0);

const { source, rows, layouts, encode, decode, sixBitScales } = read("vectors.json") as Vectors;

describe(source, () => {
  test.each(layouts)("a block of $type has $bytes bytes for $elements elements", (layout) => {
    const { elements, bytes } = ggmlTypes[layout.type];
    expect({ elements, bytes }).toEqual({ elements: layout.elements, bytes: layout.bytes });
    expect((bytes * 8) / elements).toBe(layout.bitsPerWeight);
  });

  test.each(encode)("row $row in $type is $blocks", ({ type, row, blocks, meanSquaredError }) => {
    const x = Float32Array.from(rows[row].values);
    const encoded = encodeGgml(type, x, x.length);
    expect(Buffer.from(encoded).toString("hex")).toBe(blocks);
    const back = decodeGgml(type, encoded);
    expect(sum(x.map((v, i) => (v - back[i]) ** 2)) / x.length).toBeCloseTo(meanSquaredError, 8);
  });

  test.each(encode.filter(({ fused }) => fused !== undefined))(
    "row $row in $type is $fused where x/d + 8.5 is rounded once",
    ({ row, blocks, fused }) => {
      const inverse = Math.fround(1 / (rows[row].values[0] / -8)); // the first is the row's extreme
      const codes = rows[row].values.map((v) => Math.min(15, Math.trunc(Math.fround(v * inverse + 8.5))));
      const bytes = codes.slice(0, 16).map((code, j) => code | (codes[j + 16] << 4));
      expect(blocks.slice(0, 4) + Buffer.from(bytes).toString("hex")).toBe(fused);
    },
  );

  test.each(decode.blocks)("a block of $type adds up to $sum", ({ type, d, dmin, first, last, ...sums }) => {
    const block = Uint8Array.from({ length: ggmlTypes[type].bytes }, (_, i) => 29 * i + 7);
    block.set([0x00, 0x38], d);
    if (dmin !== undefined) block.set([0x00, 0x34], dmin);
    const numbers = decodeGgml(type, block);
    expect([...numbers.subarray(0, 8)]).toEqual(first);
    expect([...numbers.subarray(-4)]).toEqual(last);
    expect({ sum: sum(numbers), sumOfSquares: sum([...numbers].map((v) => v * v)) }).toEqual(sums);
  });

  test("six-bit scales and minima share twelve bytes", () => {
    const bytes = Uint8Array.from(sixBitScales.bytes);
    const scales = Uint8Array.from({ length: 8 }, (_, j) => getScale(bytes, 0, j));
    const minima = Uint8Array.from({ length: 8 }, (_, j) => getMin(bytes, 0, j));
    expect({ scales: [...scales], minima: [...minima] }).toEqual({
      scales: sixBitScales.scales,
      minima: sixBitScales.minima,
    });
    const packed = new Uint8Array(12);
    putScales(scales, minima, packed, 0);
    expect([...packed]).toEqual(sixBitScales.bytes);
  });
});

const hard = read("rows.json") as Rows;
const importance = floatsOf(hard.importance);

test("every type has golden blocks", () => {
  expect(readdirSync(new URL("types/", folder)).sort()).toEqual(Object.keys(ggmlTypes).map((type) => `${type}.json`).sort());
});

describe.each(Object.keys(ggmlTypes) as GgmlTypeName[])("%s", (type) => {
  const golden = read(`types/${type}.json`) as TypeFile;

  test(`encodes as ${golden.source}`, () => {
    const made = Object.entries(hard.rows).map(([kind, row]) => [kind, encodeGgml(type, floatsOf(row), 256)] as const);
    expect(Object.fromEntries(made.map(([kind, blocks]) => [kind, Buffer.from(blocks).toString("base64")]))).toEqual(golden.plain);
  });

  test("decodes random blocks to the same bits", () => {
    const numbers = decodeGgml(type, bytesOf(golden.decode.blocks));
    expect(new Uint32Array(numbers.buffer)).toEqual(new Uint32Array(floatsOf(golden.decode.numbers).buffer));
  });

  if (golden.weighted === undefined) return;
  test("heeds an importance matrix as ggml does", () => {
    const made = Object.entries(hard.rows).map(
      ([kind, row]) => [kind, encodeGgml(type, floatsOf(row), 256, importance)] as const,
    );
    expect(Object.fromEntries(made.map(([kind, blocks]) => [kind, Buffer.from(blocks).toString("base64")]))).toEqual(golden.weighted);
  });
});
