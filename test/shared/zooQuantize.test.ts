/** Every model of the zoo through the main job: proved, or refused with a typed reason; never a crash or a wrong file. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { errorCodes, LowbitError } from "#base/errors";
import { openOnnxFile } from "#formats/onnx/onnxFile.node";
import type { Session } from "#model/session";
import { type Tensor, toNumbers } from "#model/tensor";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import type { Report } from "#report/types";
import { quantizeFile } from "#verbs/files.node";
import { sessionOpener } from "#verbs/environment";
import { madeUpData } from "#verbs/madeUpData";
import { createNodeEnvironment } from "#verbs/nodeEnvironment.node";
import { zooFiles } from "./zooModels";

const models = fileURLToPath(new URL("../../../shared/models/", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "lowbit-zoo-"));
const environment = createNodeEnvironment(scratch);
const ort = nodeRuntimes["ort-node"];
afterAll(async () => {
  await ort.shutdown();
  rmSync(scratch, { recursive: true });
});

/** What is refused by both recipes, and why: everything else is to be proved. */
const refusals: Readonly<Record<string, RegExp>> = {
  lgbm_hummingbird_op9: /^plan\/nothing-to-quantize .*no float32 weights/,
  mnist_dynamic_quant_op11: /^plan\/already-quantized .*MatMulInteger/,
  "ppocr_mobile_v1.1_det_paddle": /^proof\/constant .*the same on all/, // finds no text in noise
  superres_prepost_op18: /^runtime\/load .*DecodeImage/,
  tfbert_qa_keras2onnx: /^plan\/nothing-to-quantize .*nothing to quantize/,
  xgboost_tree_ensemble: /^plan\/nothing-to-quantize .*no float32 weights/,
};

/** 10·log₁₀(Σx² / Σ(x−y)²) over all outputs of floating point where the parent is finite; undefined where it says nothing. */
function sqnrOf(parent: Record<string, Tensor>, child: Record<string, Tensor>): number | undefined {
  let [signal, noise] = [0, 0];
  for (const [name, expected] of Object.entries(parent)) {
    expect(child[name].dims).toEqual(expected.dims);
    expect(child[name].type).toBe(expected.type);
    const [x, y] = [toNumbers(expected), toNumbers(child[name])];
    for (let i = 0; i < x.length; i++) {
      if (!Number.isFinite(x[i])) continue;
      expect(Number.isFinite(y[i])).toBe(true);
      signal += x[i] ** 2;
      noise += (x[i] - y[i]) ** 2;
    }
  }
  return signal === 0 ? undefined : 10 * Math.log10(signal / noise);
}

async function run(path: string, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  const { model, close } = await openOnnxFile(path);
  let session: Session | undefined;
  try {
    session = await ort.open(environment.runnable(model), {});
    return await session.run(feeds);
  } finally {
    await session?.close();
    await close();
  }
}

/** Random numbers that neither calibrated nor judged. */
async function otherFeeds(path: string): Promise<Record<string, Tensor>> {
  const { model, close } = await openOnnxFile(path);
  const open = sessionOpener(environment, ort);
  const data = await madeUpData(model, open, { seed: 99, samples: 1 });
  await close();
  return (await data.sample(0)).inputs;
}

async function attempt(file: string, recipe: string, output: string): Promise<Report | LowbitError> {
  try {
    const calibrate = /bert/.test(file) ? 8 : 3; // few words have the same answers
    const quick = { calibrate, layers: false, measure: false };
    return await quantizeFile(environment, models + file, output, {
      recipe,
      target: "ort-node",
      allowRandomData: true,
      ...quick,
    });
  } catch (error) {
    if (error instanceof LowbitError) return error;
    throw error;
  }
}

describe.skipIf(zooFiles.length === 0)("the zoo, quantized (skipped where ../shared is absent)", () => {
  const zoo = zooFiles.filter((file) => file.startsWith("zoo/"));

  test("has 21 models", () => expect(zoo.length).toBe(21));

  describe.each(["w8a8-dynamic", "w8a8"])("%s", (recipe) => {
    test.each(zoo)("%s is proved, or refused by name", { timeout: 120_000 }, async (file) => {
      const folder = mkdtempSync(join(scratch, "out-"));
      const output = join(folder, "out.onnx");
      const outcome = await attempt(file, recipe, output);
      const reason = refusals[file.replace(/^zoo\/|\.onnx$/g, "")];
      if (outcome instanceof LowbitError) {
        expect(`${outcome.code} ${outcome.message}`).toMatch(reason ?? /^proved$/);
        expect(errorCodes[outcome.code]).toBeGreaterThan(0);
        expect(outcome.hint).not.toBe("");
        expect(outcome.at.file).toBe(models + file);
        expect(readdirSync(folder)).toEqual([]);
        return;
      }
      expect(reason).toBeUndefined();
      expect(readdirSync(folder)).toEqual(["out.onnx"]);
      const { quality, size, calibration, diagnostics } = outcome;
      expect(quality?.data).toBe("random");
      expect(calibration?.data).toBe(recipe === "w8a8" ? "random" : undefined);
      expect(diagnostics.map(({ code }) => code)).toContain("data/random");
      expect(size.ratio).toBeGreaterThan(1.2);
      const feeds = await otherFeeds(models + file);
      expect(sqnrOf(await run(models + file, feeds), await run(output, feeds))).toBeGreaterThan(10);
      rmSync(folder, { recursive: true });
    });
  });
});
