// The main job, end to end, on what the repository ships: a digit classifier becomes an 8-bit one, proved on images that are
// drawn on the spot. `npm run demo` installs and builds first; nothing is downloaded here.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const model = "examples/glyphs/glyphs.onnx";
const data = "examples/glyphs/data";
const small = "out/glyphs.w8a8.onnx";
const page = "out/glyphs.html";

mkdirSync(`${root}out`, { recursive: true });

step("1/2  Draw 2,000 images of digits: 100 to learn the ranges of activations from, 1,900 to judge on");
run("node examples/glyphs/render.mjs", ["--out", data, "--train", "0", "--calibration", "0", "--test", "2000"]);

step(
  "2/2  Quantize: fold, calibrate, measure each layer on this machine, plan, rewrite, load, compare with the original",
);
run("npx lowbit quantize", [
  model,
  `--data=${data}/test-images-idx3-ubyte.gz`,
  "--preprocess=unit",
  `--output=${small}`,
  `--html=${page}`,
]);

console.log(`
The small model:            ${root}${small}
The report, with pictures:  ${pathToFileURL(root + page).href}`);

/** @param {string} title */
function step(title) {
  console.log(`\n${title}`);
}

/**
 * Shows a command as a user would type it in the repository, and runs it there with this Node.
 * @param {string} command @param {string[]} words
 */
function run(command, words) {
  console.log(`\n  $ ${command} ${words.join(" ")}\n`);
  const program = command.startsWith("npx lowbit") ? ["dist/cli/main.js", "quantize"] : [command.split(" ")[1]];
  const { status } = spawnSync(process.execPath, [...program, ...words], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
