/** The demo's data set is a function of its seed, and its model is the file that glyphs.json describes. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { spawnSync } from "node:child_process";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import facts from "../examples/glyphs/glyphs.json" with { type: "json" };
import { renderGlyphs } from "../examples/glyphs/render.mjs";

const folder = fileURLToPath(new URL("../examples/glyphs/", import.meta.url));
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const { seed, size } = facts.data;
const area = size * size;

describe("the glyphs data set", () => {
  test.each(["test", "calibration"] as const)("the %s images are the ones the model was trained beside", (split) => {
    const { count, imagesSha256 } = facts.data[split];
    expect(sha256(renderGlyphs({ seed, count, size, split }).images)).toBe(imagesSha256);
  });

  test("a longer run begins with the images and labels of a shorter one", () => {
    const short = renderGlyphs({ seed, count: 25 });
    const long = renderGlyphs({ seed, count: 40 });
    expect(long.images.subarray(0, 25 * area)).toEqual(short.images);
    expect(long.labels.subarray(0, 25)).toEqual(short.labels);
  });

  test("every ten images in a row hold every digit once, and every tenth image is not always the same digit", () => {
    const { labels } = renderGlyphs({ seed, count: 200 });
    for (let i = 0; i < 200; i += 10)
      expect(labels.slice(i, i + 10).sort()).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
    expect(new Set(labels.filter((_, i) => i % 10 === 0)).size).toBeGreaterThan(4);
  });

  test("no two images are the same, in one split, in two, or under another seed", () => {
    const runs = [
      renderGlyphs({ seed, count: 200, split: "train" }),
      renderGlyphs({ seed, count: 200, split: "test" }),
      renderGlyphs({ seed, count: 200, split: "calibration" }),
      renderGlyphs({ seed: seed + 1, count: 200, split: "test" }),
    ];
    const hashes = runs.flatMap(({ images }) =>
      Array.from({ length: 200 }, (_, i) => sha256(images.subarray(i * area, (i + 1) * area))),
    );
    expect(new Set(hashes).size).toBe(800);
  });

  test("the command writes what the function returns, as gzipped idx files", () => {
    const out = mkdtempSync(join(tmpdir(), "glyphs-"));
    try {
      const flags = [
        "--out",
        out,
        "--train",
        "20",
        "--test",
        "10",
        "--calibration",
        "10",
        "--seed",
        "7",
        "--size",
        "16",
      ];
      const run = spawnSync(process.execPath, [`${folder}render.mjs`, ...flags], { encoding: "utf8" });
      expect(run.stderr).toBe("");
      const { images, labels } = renderGlyphs({ seed: 7, count: 20, size: 16, split: "train" });
      const idx3 = gunzipSync(readFileSync(join(out, "train-images-idx3-ubyte.gz")));
      const idx1 = gunzipSync(readFileSync(join(out, "train-labels-idx1-ubyte.gz")));
      expect([...idx3.subarray(0, 16)]).toEqual([0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 16, 0, 0, 0, 16]);
      expect([...idx1.subarray(0, 8)]).toEqual([0, 0, 8, 1, 0, 0, 0, 20]);
      expect(new Uint8Array(idx3.subarray(16))).toEqual(images);
      expect(new Uint8Array(idx1.subarray(8))).toEqual(labels);
    } finally {
      rmSync(out, { recursive: true });
    }
  });
});

describe("the glyphs model", () => {
  test("is the file that glyphs.json describes", () => {
    const bytes = readFileSync(`${folder}glyphs.onnx`);
    expect(bytes.length).toBe(facts.bytes);
    expect(sha256(bytes)).toBe(facts.sha256);
  });
});
