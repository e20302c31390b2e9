import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { defaultLimits } from "#base/limits";
import { directoryOf, folderOfFiles, isHidden, openIn, relativePath, withoutGzip } from "#data/folder";

const blob = (text: string): Blob => new Blob([text]);
const at = { file: "labels.json" };

describe("paths that a file names", () => {
  test.each([
    ["a.png", "a.png"],
    ["a/b.png", "a/b.png"],
    ["./a/./b.png", "a/b.png"],
    ["2020-01-01T10:00.png", "2020-01-01T10:00.png"],
    ["..a/b..png", "..a/b..png"],
  ])("%s is %s", (path, plain) => {
    expect(relativePath(path, at)).toBe(plain);
  });

  test.each([
    "",
    ".",
    "/etc/passwd",
    "..",
    "../a.png",
    "a/../../b",
    "a//b",
    "a/",
    "C:\\a.png",
    "C:a.png",
    "a\\b.png",
    "a\0.png",
  ])("%j is refused", (path) => {
    expect(() => relativePath(path, at)).toThrow(expect.objectContaining({ code: "data/malformed", at }));
  });

  test("a directory keeps its slash", () => {
    expect([directoryOf("a/b/c.json"), directoryOf("c.json")]).toEqual(["a/b/", ""]);
  });
});

describe("dropped files as a folder", () => {
  test("the folder they share is taken off, and hidden files are not listed", async () => {
    const folder = folderOfFiles([
      ["photos/cat/1.png", blob("one")],
      ["photos/.DS_Store", blob("")],
      ["photos/a.json", blob("[]")],
    ]);
    expect(await folder.list()).toEqual(["a.json", "cat/1.png"]);
    const source = await openIn(folder, "cat/1.png");
    expect(new TextDecoder().decode(await source.read(0, source.size))).toBe("one");
    await expect(openIn(folder, "dog/1.png")).rejects.toMatchObject({ code: "io/not-found" });
  });

  test("files without a common folder keep their names", async () => {
    expect(
      await folderOfFiles([
        ["a.png", blob("")],
        ["b/c.png", blob("")],
      ]).list(),
    ).toEqual(["a.png", "b/c.png"]);
    expect(await folderOfFiles([]).list()).toEqual([]);
  });

  test("a zip made on a Mac brings no images of its own", () => {
    expect(isHidden("__MACOSX/a/._1.png")).toBe(true);
    expect(isHidden("a/1.png")).toBe(false);
  });
});

describe("packed files in a folder", () => {
  const folder = withoutGzip(
    folderOfFiles([
      ["x.txt.gz", new Blob([gzipSync("packed")])],
      ["y.txt", blob("plain")],
      ["z.txt.gz", blob("not gzip")],
    ]),
    { ...defaultLimits, unpackedBytes: 1000 },
  );
  const read = async (path: string): Promise<string> => {
    const source = await openIn(folder, path);
    return new TextDecoder().decode(await source.read(0, source.size));
  };

  test("are listed and read without their ending", async () => {
    expect(await folder.list()).toEqual(["x.txt", "y.txt", "z.txt"]);
    expect(await read("x.txt")).toBe("packed");
    expect(await read("y.txt")).toBe("plain");
  });

  test("must be what their name says", async () => {
    await expect(read("z.txt")).rejects.toMatchObject({ code: "data/malformed", at: { file: "z.txt.gz" } });
  });

  test("may not unpack to more than the limit", async () => {
    const bomb = folderOfFiles([["b.gz", new Blob([gzipSync(new Uint8Array(1 << 20))])]]);
    await expect(withoutGzip(bomb, { ...defaultLimits, unpackedBytes: 9999 }).open("b")).rejects.toMatchObject({
      code: "limit/memory",
    });
  });
});
