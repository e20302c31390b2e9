/** Files of data with random damage are read, or refused with a typed error, quickly. Nothing else. */
import { zipSync } from "fflate";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { LowbitError } from "#base/errors";
import { createRng } from "#base/rng";
import { folderOfFiles } from "#data/folder";
import { decodePlain } from "#data/images/decodePlain";
import { writeNpy } from "#data/npy/npy";
import { openDataIn } from "#data/openData";
import type { ModelInput } from "#data/types";
import { float32 } from "#model/tensor";

const npy = writeNpy(float32([3, 2], [1, 2, 3, 4, 5, 6]));
const vector: ModelInput = { name: "x", type: "float32", dims: ["N", 2] };
const image: ModelInput = { name: "x", type: "float32", dims: ["N", 3, 4, 4] };
const tokens: ModelInput = { name: "x", type: "int64", dims: ["N", "T"] };
const noise = new Uint8Array(9 * 7 * 3).map((_, i) => i * 37);
const idx = new Uint8Array(16 + 4 * 4 * 4);
idx.set([0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4]);

const files: Readonly<
  Record<string, { readonly bytes: Uint8Array; readonly input: ModelInput; readonly extra?: string }>
> = {
  "a.npy": { bytes: npy, input: vector },
  "a.npz": {
    bytes: zipSync({
      "x.npy": npy,
      "labels.npy": writeNpy({ type: "uint8", dims: [3], data: Uint8Array.of(0, 1, 2) }),
    }),
    input: vector,
  },
  "a.png": {
    bytes: await sharp(noise, { raw: { width: 9, height: 7, channels: 3 } })
      .png({ progressive: true })
      .toBuffer(),
    input: image,
  },
  "a.ppm": { bytes: Buffer.concat([Buffer.from("P6 # x\n9 7\n255\n"), noise]), input: image },
  "a.idx3": { bytes: idx, input: { ...image, dims: ["N", 1, 4, 4] } },
  "a.jsonl": {
    bytes: Buffer.from('{"inputs": {"x": [1, 2]}, "label": 1}\n{"inputs": {"x": [3, 4]}, "label": 0}\n'),
    input: vector,
  },
  "a.json": { bytes: Buffer.from("[[1, 2, 3], [4, 5, 6, 7]]"), input: tokens },
  "d.features.json": {
    bytes: Buffer.from('{"data": "f.bin", "element": "int8", "shape": [2], "scale": 0.5, "labels": [1, 0]}'),
    input: vector,
    extra: "f.bin",
  },
  "labels.csv": { bytes: Buffer.from('file,label\n"b.ppm",3\n'), input: image, extra: "b.ppm" },
};
const extras: Readonly<Record<string, Uint8Array>> = {
  "f.bin": Uint8Array.of(1, 2, 3, 4),
  "b.ppm": Buffer.concat([Buffer.from("P6 9 7 255\n"), noise]),
};

/** Damage as it happens and as it is made: flipped bits, wild bytes, cuts, doubled and dropped pieces, numbers made huge. */
function damage(bytes: Uint8Array, seed: number): Uint8Array {
  const rng = createRng(seed);
  let out: Uint8Array = Uint8Array.from(bytes);
  for (let times = 1 + rng.below(4); times > 0 && out.length > 0; times--) {
    const at = rng.below(out.length);
    const length = 1 + rng.below(8);
    const kind = rng.below(6);
    if (kind === 0) out[at] ^= 1 << rng.below(8);
    else if (kind === 1) out[at] = rng.below(256);
    else if (kind === 2) out = out.slice(0, at);
    else if (kind === 3)
      out = Uint8Array.from([
        ...out.subarray(0, at),
        ...out.subarray(Math.max(at - length, 0), at),
        ...out.subarray(at),
      ]);
    else if (kind === 4) out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(at + length)]);
    else out.fill(rng.below(2) === 0 ? 0xff : 0x39, at, at + length); // −1 and 2³² − 1, or digits
  }
  return out;
}

describe("damaged data", () => {
  const rounds = 1_500;

  test.each(Object.entries(files))("%s", async (name, { bytes, input, extra }) => {
    let read = 0;
    let refused = 0;
    for (let seed = 0; seed < rounds; seed++) {
      const blobs: [string, Blob][] = [[name, new Blob([damage(bytes, seed) as Uint8Array<ArrayBuffer>])]];
      if (extra !== undefined) blobs.push([extra, new Blob([extras[extra] as Uint8Array<ArrayBuffer>])]);
      const started = performance.now();
      try {
        const data = await openDataIn(folderOfFiles(blobs), name === "labels.csv" ? undefined : name, {
          inputs: [input],
          decodeImage: decodePlain,
        });
        for (let i = 0; i < Math.min(data.length, 4); i++) await data.sample(i);
        read++;
      } catch (error) {
        if (!(error instanceof LowbitError)) throw new Error(`seed ${seed} ends in a foreign error`, { cause: error });
        refused++;
      }
      expect(performance.now() - started, `seed ${seed}`).toBeLessThan(1000);
    }
    // both happen, or the damage is not what it is meant to be
    expect(read).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(rounds / 20);
  });
});
