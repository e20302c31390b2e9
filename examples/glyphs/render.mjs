// The command that writes the glyphs data set as MNIST idx files, or a contact sheet of it.
//
//   node examples/glyphs/render.mjs --out examples/glyphs/data --train 20000 --test 2000 --calibration 200 --seed 1
//   node examples/glyphs/render.mjs --sheet examples/glyphs/sheet.png
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { renderGlyphs } from "./renderGlyphs.mjs";
import { contactSheet } from "./sheet.mjs";

export { renderGlyphs };

const SHEET_COUNT = 80;

function main() {
  const { values: flags } = parseArgs({
    options: {
      out: { type: "string" },
      train: { type: "string", default: "20000" },
      test: { type: "string", default: "2000" },
      calibration: { type: "string", default: "200" },
      seed: { type: "string", default: "1" },
      size: { type: "string", default: "32" },
      sheet: { type: "string" },
    },
  });
  const wholeNumber = (/** @type {"train" | "test" | "calibration" | "seed" | "size"} */ flag) => {
    if (/^\d{1,9}$/.test(flags[flag])) return Number(flags[flag]);
    throw new RangeError(`--${flag} takes a whole number, not "${flags[flag]}"`);
  };
  const seed = wholeNumber("seed");
  const size = wholeNumber("size");
  if (!flags.out && !flags.sheet) throw new RangeError("say where to: --out <folder> or --sheet <file.png>");
  if (flags.sheet) {
    writeFileSync(flags.sheet, contactSheet(renderGlyphs({ seed, count: SHEET_COUNT, size }), { size }));
    console.log(`${flags.sheet}: the first ${SHEET_COUNT} test images, seed ${seed}`);
  }
  if (flags.out) {
    mkdirSync(flags.out, { recursive: true });
    for (const split of /** @type {const} */ (["train", "test", "calibration"])) {
      const count = wholeNumber(split);
      if (count === 0) continue;
      const { images, labels } = renderGlyphs({ seed, count, size, split });
      writeFileSync(`${flags.out}/${split}-images-idx3-ubyte.gz`, gzipSync(idx([count, size, size], images)));
      writeFileSync(`${flags.out}/${split}-labels-idx1-ubyte.gz`, gzipSync(idx([count], labels)));
      console.log(`${flags.out}/${split}-*: ${count} images of ${size} × ${size}, seed ${seed}`);
    }
  }
}

/**
 * MNIST's idx format: 00 00 08 (unsigned bytes) and the rank, the dimensions as big-endian uint32, the values.
 * @param {number[]} shape @param {Uint8Array} values
 */
export function idx(shape, values) {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(0x0800 | shape.length, 0);
  shape.forEach((dimension, i) => header.writeUInt32BE(dimension, 4 + 4 * i));
  return Buffer.concat([header, values]);
}

if (process.argv[1] && realpathSync(process.argv[1]) === import.meta.filename) main();
