import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, test } from "vitest";
import { openData } from "#data/openData.node";
import type { ModelInput } from "#data/types";

const root = mkdtempSync(join(tmpdir(), "lowbit-data-"));
afterAll(() => rmSync(root, { recursive: true }));
const image: ModelInput = { name: "x", type: "float32", dims: ["N", 3, 4, 4] };
const vector: ModelInput = { name: "x", type: "float32", dims: ["N", 2] };

mkdirSync(join(root, "photos/cat"), { recursive: true });
mkdirSync(join(root, "photos/dog"));
await sharp({ create: { width: 9, height: 7, channels: 3, background: "#ff0000" } })
  .png()
  .toFile(join(root, "photos/cat/1.png"));
await sharp({ create: { width: 5, height: 8, channels: 3, background: "#0000ff" } })
  .jpeg({ quality: 100 })
  .toFile(join(root, "photos/dog/2.jpg"));
writeFileSync(join(root, "mine.json"), '{"scale": 0.00392156862745098, "layout": "NCHW"}');
writeFileSync(join(root, "secret.bin"), Buffer.alloc(4));
mkdirSync(join(root, "features"));
symlinkSync(join(root, "secret.bin"), join(root, "features/f.bin"));
writeFileSync(join(root, "features/d.json"), '{"data": "f.bin", "element": "int8", "shape": [2]}');

describe("data on disk", () => {
  test("a folder of images in two formats, with a preprocessing from a file", async () => {
    const data = await openData(join(root, "photos"), { inputs: [image], preprocess: join(root, "mine.json") });
    expect([data.length, data.labelled, data.classes, data.preprocess?.name]).toEqual([
      2,
      true,
      ["cat", "dog"],
      join(root, "mine.json"),
    ]);
    const red = await data.sample(0);
    expect([red.id, red.label, red.inputs.x.dims]).toEqual(["cat/1.png", 0, [1, 3, 4, 4]]);
    expect([...(red.inputs.x.data as Float32Array)]).toEqual([...Array(16).fill(1), ...Array(32).fill(0)]);
  });

  test("one file of it", async () => {
    const data = await openData(join(root, "photos/dog/2.jpg"), { inputs: [image], preprocess: "unit" });
    const { data: x } = (await data.sample(0)).inputs.x;
    expect(data.length).toBe(1);
    expect((x as Float32Array)[47]).toBeGreaterThan(0.97); // JPEG's blue
  });

  test("a description may not reach a file outside through a link", async () => {
    await expect(openData(join(root, "features/d.json"), { inputs: [vector] })).rejects.toMatchObject({
      code: "data/malformed",
    });
  });

  test("a name that is neither a preset nor a path, and a path to nothing, are told apart", async () => {
    const open = (preprocess: string) => openData(join(root, "photos"), { inputs: [image], preprocess });
    await expect(open("imagenet")).rejects.toMatchObject({ code: "usage/argument" });
    await expect(open("./none.json")).rejects.toMatchObject({ code: "io/not-found" });
    await expect(openData(join(root, "nothing"), { inputs: [image] })).rejects.toMatchObject({ code: "io/not-found" });
  });
});
