/**
 * Operators against numbers that other programs made. Adding a case is adding to a file, adding a file is adding a
 * test.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { errorBetween, type OperatorFile, runCase, tensorOf } from "../operatorCase";

/** Float32 kernels that sum in another order than ours. */
const floatTolerance = 2e-6;

/** How much they give depends on more of their input than inference looks at. */
const shapedByContent = new Set(["Compress", "NonMaxSuppression", "NonZero", "Unique"]);

const root = fileURLToPath(new URL(".", import.meta.url));

for (const folder of ["onnx-quantize", "ort-contrib", "ort-operators"]) {
  for (const file of readdirSync(`${root}${folder}`)) {
    const { source, cases } = JSON.parse(readFileSync(`${root}${folder}/${file}`, "utf8")) as OperatorFile;
    describe(`${file.replace(".json", "")} agrees with ${source}`, () => {
      test.each(cases)("$name", (given) => {
        const { outputs, known, vague } = runCase(given);
        given.outputs.forEach((data, i) => {
          if (data === null) return;
          const want = tensorOf(data);
          expect(outputs[i].type).toBe(want.type);
          expect(outputs[i].dims).toEqual(want.dims);
          const allowed = given.tolerance?.error ?? (/float/.test(want.type) ? floatTolerance : 0);
          expect(errorBetween(outputs[i], want)).toBeLessThanOrEqual(allowed);
          // inference says the same of given values, and nothing false of bare types
          expect(known[i].element).toBe(want.type);
          if (!shapedByContent.has(given.op)) expect(known[i].shape).toEqual(want.dims);
          expect(vague[i].shape?.length ?? want.dims.length).toBe(want.dims.length);
          vague[i].shape?.forEach((dim, axis) => expect(dim === null || dim === want.dims[axis]).toBe(true));
        });
      });
    });
  }
}
