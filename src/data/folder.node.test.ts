import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { defaultLimits } from "#base/limits";
import { openIn } from "#data/folder";
import { directory, locate } from "#data/folder.node";

const root = mkdtempSync(join(tmpdir(), "lowbit-folder-"));
const write = (path: string, text = "text"): void => {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), text);
};
write("data/b/2.png");
write("data/a.png");
write("data/.git/config");
write("elsewhere/c.png");
write("elsewhere/secret");
symlinkSync(join(root, "elsewhere"), join(root, "data/linked"));
symlinkSync(join(root, "data"), join(root, "data/b/loop"));
symlinkSync(join(root, "nowhere"), join(root, "data/broken.png"));
symlinkSync(join(root, "elsewhere/secret"), join(root, "data/link"));
// as Hugging Face's cache lies on disk
write("hub/blobs/0123", "array");
write("hub/blobs/4567", "labels");
mkdirSync(join(root, "hub/snapshots/main"), { recursive: true });
symlinkSync(join(root, "hub/blobs/0123"), join(root, "hub/snapshots/main/x.npy"));
symlinkSync(join(root, "hub/blobs/4567"), join(root, "hub/snapshots/main/x.labels.json"));
afterAll(() => rmSync(root, { recursive: true }));

describe("a folder on disk", () => {
  const folder = directory(join(root, "data"), defaultLimits);

  test("lists its files in order, through links, each directory once, without hidden and broken ones", async () => {
    expect(await folder.list()).toEqual(["a.png", "b/2.png", "link", "linked/c.png", "linked/secret"]);
  });

  test("reads ranges of its files", async () => {
    const source = await openIn(folder, "b/2.png");
    expect([source.size, new TextDecoder().decode(await source.read(1, 2))]).toEqual([4, "ex"]);
    expect(await folder.open("b/3.png")).toBeUndefined();
    await expect(folder.open("b")).rejects.toMatchObject({ code: "io/read" });
  });

  test("what a file names may not be a link that leads out", async () => {
    await expect(folder.open("link", { inside: true })).rejects.toMatchObject({ code: "data/malformed" });
    await expect(folder.open("linked/secret", { inside: true })).rejects.toMatchObject({ code: "data/malformed" });
    expect(await folder.open("a.png", { inside: true })).toBeDefined();
  });

  test("a file that changes while it is read is noticed", async () => {
    write("data/changing", "before");
    const source = await openIn(folder, "changing");
    writeFileSync(join(root, "data/changing"), "after it");
    await expect(source.read(0, 4)).rejects.toMatchObject({ code: "io/changed" });
    rmSync(join(root, "data/changing"));
  });

  test("more files than the limit are refused", async () => {
    await expect(directory(join(root, "data"), { ...defaultLimits, dataFiles: 2 }).list()).rejects.toMatchObject({
      code: "limit/memory",
    });
  });
});

describe("a path of the user", () => {
  test("that names a file means that file in its folder", async () => {
    const { folder, file } = await locate(join(root, "data/b/2.png"), defaultLimits);
    expect([folder.name, file]).toEqual([join(root, "data/b"), "2.png"]);
    expect((await locate(join(root, "data"), defaultLimits)).file).toBeUndefined();
  });

  test("in Hugging Face's cache may have its labels beside its blob", async () => {
    const { folder, file } = await locate(join(root, "hub/snapshots/main/x.npy"), defaultLimits);
    expect(file).toBe("x.npy");
    expect((await folder.open("x.labels.json", { inside: true }))?.size).toBe(6);
  });

  test("that does not exist is told", async () => {
    await expect(locate(join(root, "nothing"), defaultLimits)).rejects.toMatchObject({ code: "io/not-found" });
  });
});
