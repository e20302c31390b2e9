import { describe, expect, test } from "vitest";
import { defaultLimits } from "#base/limits";
import { readClasses, sortedClasses } from "#data/classes";
import { folderOfFiles } from "#data/folder";
import { labelsFromJson, labelsFromTensor, siblingLabels } from "#data/labels";
import { writeNpy } from "#data/npy/npy";
import { float32, int64, type Tensor } from "#model/tensor";

const at = { file: "labels.json" };

describe("labels", () => {
  test.each<[string, unknown]>([
    ["a list", [2, 0]],
    ["a list of rows", [{ label: 2, clip: "a" }, { label: 0 }]],
    ["an object with a list", { labels: [2, 0] }],
  ])("come as %s", (_, value) => {
    expect(labelsFromJson(value, 2, at)).toEqual({ labels: [2, 0] });
  });

  test("bring the names of the classes where they have them", () => {
    expect(labelsFromJson({ labels: [1], classes: ["no", "yes"] }, 1, at).classes).toEqual(["no", "yes"]);
  });

  test.each<[string, unknown]>([
    ["too few", [1]],
    ["too many", [1, 2, 3]],
    ["a fraction", [1, 0.5]],
    ["a negative one", [1, -1]],
    ["a word", [1, "cat"]],
    ["a missing one", [{ label: 1 }, {}]],
    ["no list", "cat"],
    ["nothing", null],
  ])("%s is refused", (_, value) => {
    expect(() => labelsFromJson(value, 2, at)).toThrow(expect.objectContaining({ code: "data/labels", at }));
  });

  test("come from arrays of any whole type, [N] or [N, 1]", () => {
    expect(labelsFromTensor(int64([2], [3, 4]), 2, at).labels).toEqual([3, 4]);
    expect(labelsFromTensor({ type: "uint8", dims: [2, 1], data: Uint8Array.of(3, 4) }, 2, at).labels).toEqual([3, 4]);
  });

  test.each<[string, Tensor]>([
    ["one-hot rows", float32([2, 3], [0, 0, 1, 1, 0, 0])],
    ["fractions", float32([2], [0.5, 1])],
    ["another number of labels", int64([3], [1, 2, 3])],
  ])("%s are refused", (_, value) => {
    expect(() => labelsFromTensor(value, 2, at)).toThrow(expect.objectContaining({ code: "data/labels" }));
  });

  test("lie beside a data file, under its name", async () => {
    const folder = folderOfFiles([
      ["a.npy", new Blob([])],
      ["a.labels.npy", new Blob([writeNpy(int64([2], [7, 8])) as Uint8Array<ArrayBuffer>])],
      ["b.labels.json", new Blob(["[1, 2]"])],
    ]);
    expect((await siblingLabels("a.npy", 2, folder, defaultLimits))?.labels).toEqual([7, 8]);
    expect((await siblingLabels("b.npy", 2, folder, defaultLimits))?.labels).toEqual([1, 2]);
    expect(await siblingLabels("c.npy", 2, folder, defaultLimits)).toBeUndefined();
  });
});

describe("classes", () => {
  test("are a list of names, or rows with an index and any number of names", () => {
    expect(readClasses(["cat", "dog"], at).names).toEqual(["cat", "dog"]);
    const imagenet = readClasses(
      [
        { index: 1, wnid: "n2", name: "goldfish" },
        { index: 0, wnid: "n1", name: "tench" },
      ],
      at,
    );
    expect(imagenet.names).toEqual(["tench", "goldfish"]);
    expect([imagenet.indexOf.get("n2"), imagenet.indexOf.get("goldfish")]).toEqual([1, 1]);
  });

  test("are numbered by sorted names when nothing else is said", () => {
    expect([...sortedClasses(["dog", "cat", "dog"]).indexOf]).toEqual([
      ["cat", 0],
      ["dog", 1],
    ]);
  });

  test.each<[string, unknown]>([
    ["no list", {}],
    ["an empty list", []],
    ["a number", [1]],
    ["a wild index", [{ index: 1e12, name: "cat" }]],
  ])("%s is refused", (_, value) => {
    expect(() => readClasses(value, at)).toThrow(expect.objectContaining({ code: "data/labels" }));
  });
});
