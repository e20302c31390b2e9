import { describe, expect, test } from "vitest";
import { defaultLimits } from "#base/limits";
import { folderOfFiles } from "#data/folder";
import { parseCsv } from "#data/images/csv";
import { imageNames } from "#data/images/decodeImage";
import { type LabelledImages, labelImages } from "#data/images/labelImages";

/** The labels of a folder of empty files and some texts. */
async function labelled(
  files: readonly string[],
  texts: Readonly<Record<string, string>> = {},
): Promise<LabelledImages> {
  const contents = { ...Object.fromEntries(files.map((path) => [path, ""])), ...texts, keep: "" };
  const folder = folderOfFiles(Object.entries(contents).map(([path, text]) => [path, new Blob([text])] as const));
  return labelImages(
    (await folder.list()).filter((path) => imageNames.test(path)),
    folder,
    defaultLimits,
  );
}
const pairs = ({ images }: LabelledImages) => images.map(({ path, label }) => [path, label]);
const codes = ({ diagnostics }: LabelledImages) => diagnostics.map(({ code }) => code);

describe("labels.json", () => {
  test("gives file and class; what it does not name is left out, and told", async () => {
    const found = await labelled(["a.png", "b/c.png", "d.png"], {
      "labels.json": '[{"file": "b/c.png", "label": 4}, {"file": "./a.png", "label": 0}]',
    });
    expect(pairs(found)).toEqual([
      ["b/c.png", 4],
      ["a.png", 0],
    ]);
    expect(codes(found)).toEqual(["data/ignored"]);
  });

  test("may name classes by words, numbered by classes.json or in sorted order", async () => {
    const labels = '[{"file": "a.png", "label": "dog"}, {"file": "b.png", "label": "cat"}]';
    expect(pairs(await labelled(["a.png", "b.png"], { "labels.json": labels }))).toEqual([
      ["a.png", 1],
      ["b.png", 0],
    ]);
    const given = await labelled(["a.png", "b.png"], {
      "labels.json": labels,
      "classes.json": '["bird", "dog", "cat"]',
    });
    expect(pairs(given)).toEqual([
      ["a.png", 1],
      ["b.png", 2],
    ]);
    expect(given.classes).toEqual(["bird", "dog", "cat"]);
  });

  test.each<[string, string]>([
    ["a file that is not there", '[{"file": "z.png", "label": 1}]'],
    ["a file twice", '[{"file": "a.png", "label": 1}, {"file": "./a.png", "label": 2}]'],
    ["no label", '[{"file": "a.png"}]'],
    ["a negative label", '[{"file": "a.png", "label": -1}]'],
    ["a label of half", '[{"file": "a.png", "label": 0.5}]'],
    ["words and numbers", '[{"file": "a.png", "label": "cat"}, {"file": "b.png", "label": 1}]'],
    ["no list", '{"a.png": 1}'],
  ])("with %s is refused", async (_, text) => {
    await expect(labelled(["a.png", "b.png"], { "labels.json": text })).rejects.toMatchObject({
      code: "data/labels",
      at: { file: "labels.json" },
    });
  });

  test("cannot name a file outside its folder", async () => {
    await expect(labelled(["a.png"], { "labels.json": '[{"file": "../a.png", "label": 1}]' })).rejects.toMatchObject({
      code: "data/malformed",
    });
  });
});

describe("labels.csv", () => {
  test.each<[string, string]>([
    ["without a header", "a.png,3\nb.png,1\n"],
    ["with a header", "file,label\na.png,3\nb.png,1"],
    ["with columns the other way round, and more of them", "label,size,filename\n3,9,a.png\n1,9,b.png"],
    ["quoted, with carriage returns", '"filename","class"\r\n"a.png","3"\r\n"b.png","1"\r\n'],
  ])("%s", async (_, text) => {
    expect(pairs(await labelled(["a.png", "b.png"], { "labels.csv": text }))).toEqual([
      ["a.png", 3],
      ["b.png", 1],
    ]);
  });

  test("errors tell the line", async () => {
    await expect(labelled(["a.png"], { "labels.csv": "file,label\na.png,1\nz.png,2" })).rejects.toMatchObject({
      at: { line: 3 },
    });
    await expect(labelled(["a.png"], { "labels.csv": "a.png" })).rejects.toMatchObject({ code: "data/labels" });
  });

  test("fields may hold commas, quotes and line breaks", () => {
    expect(parseCsv('"a,b","c ""d""",e\n\n "f\ng" ,h')).toEqual([
      ["a,b", 'c "d"', "e"],
      ["f\ng", "h"],
    ]);
  });
});

describe("folders as classes", () => {
  test("sorted names are 0, 1, …, and the report says so", async () => {
    const found = await labelled(["dog/1.png", "cat/1.png", "cat/2.png"]);
    expect(pairs(found)).toEqual([
      ["cat/1.png", 0],
      ["cat/2.png", 0],
      ["dog/1.png", 1],
    ]);
    expect(found.diagnostics[0].message).toMatch(/cat = 0, dog = 1/);
  });

  test("classes.json numbers them as the model does, by any of its names", async () => {
    const classes = '[{"index": 0, "wnid": "n9", "name": "cat"}, {"index": 1, "wnid": "n5", "name": "dog"}]';
    expect(pairs(await labelled(["n5/1.png", "n9/1.png"], { "classes.json": classes }))).toEqual([
      ["n5/1.png", 1],
      ["n9/1.png", 0],
    ]);
    await expect(labelled(["n5/1.png", "n7/1.png"], { "classes.json": classes })).rejects.toMatchObject({
      code: "data/labels",
    });
  });

  test("a folder around all of them is no class", async () => {
    expect(pairs(await labelled(["images/dog/1.png", "images/cat/a/1.png"]))).toEqual([
      ["images/cat/a/1.png", 0],
      ["images/dog/1.png", 1],
    ]);
  });

  test("of train/ and val/ the latter is taken, and told", async () => {
    const found = await labelled(["train/cat/1.png", "train/dog/1.png", "val/cat/2.png", "val/dog/2.png"]);
    expect(pairs(found)).toEqual([
      ["val/cat/2.png", 0],
      ["val/dog/2.png", 1],
    ]);
    expect(codes(found)).toContain("data/ignored");
  });

  test("one folder, or none, is no label", async () => {
    expect(pairs(await labelled(["images/1.png", "images/2.png"]))).toEqual([
      ["images/1.png", undefined],
      ["images/2.png", undefined],
    ]);
    expect(pairs(await labelled(["1.png"]))).toEqual([["1.png", undefined]]);
  });

  test("images beside folders of images leave all unlabelled, with a warning", async () => {
    const found = await labelled(["1.png", "cat/1.png", "dog/1.png"]);
    expect(found.images.every(({ label }) => label === undefined)).toBe(true);
    expect(codes(found)).toEqual(["data/unlabelled"]);
  });
});
