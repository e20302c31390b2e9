import { describe, expect, test } from "vitest";
import { columns } from "#report/columns";
import type { DoctorReport, RuntimeReport } from "#report/doctorReport";
import { doctorText } from "#report/doctorText";

const none = { runs: 0, fuses: 0, float: 0, changes: 0, rejects: 0, crashes: 0, hangs: 0 };

const node: RuntimeReport = {
  name: "ort-node",
  version: "1.30.0",
  acceptance: {
    asked: { runtime: "ort-node 1.30.0", platform: "linux x64", processor: "AMD EPYC", date: "2026-11-21" },
    sameVersion: true,
    counts: { ...none, runs: 1237, fuses: 120, changes: 1 },
    ceiling: { opset: 26, irVersion: 13 },
  },
  costs: {
    label: "measured",
    when: "before",
    borders: {
      quantize: { call: 1, element: 0.00006 },
      dequantize: { call: 1, element: 0.00009 },
      layoutToCodes: { call: 0, element: 0 },
      layoutToFloat: { call: 0, element: 0 },
    },
    saturates: false,
    speeds: [
      { id: "a", layer: "Conv 3×3, 64 channels", form: "uint8 × int8", floatMs: 1.09, quantizedMs: 0.289 },
      { id: "b", layer: "MatMul", form: "4-bit weights", floatMs: 0.0629, quantizedMs: 1.76 },
    ],
  },
};

const report: DoctorReport = {
  version: 1,
  tool: "lowbit 0.1.0",
  platform: { engine: "Node 20.20.2", system: "linux x64", processor: "AMD EPYC", threads: 2 },
  webAssembly: { simd: true, relaxedSimd: false, threads: true },
  runtimes: [{ name: "reference", version: "1" }, node],
  packages: [
    { name: "sharp", purpose: "images", version: "0.35.5", install: "npm install sharp" },
    { name: "tokens", purpose: "text", version: null, why: "not installed", install: "npm install tokens" },
  ],
};

describe("what doctor says", () => {
  test("at a glance", () => {
    expect(doctorText(report)).toMatchInlineSnapshot(`
      "lowbit 0.1.0
      Node 20.20.2 · linux x64 · AMD EPYC · 2 threads · WebAssembly with SIMD, no
      relaxed SIMD, threads

      reference 1

      ort-node 1.30.0
        opens       operator sets to 26, file versions (IR) to 13
        accepts     of 1,358 small models: 120 on int8 kernels, 1,237 run, 1 give
                    another answer
                    asked 2026-11-21: ort-node 1.30.0, linux x64, AMD EPYC
        int8 sums   are exact
        borders     a million values: 61.0 µs into codes, 91.0 µs back

        Conv 3×3, 64 channels  uint8 × int8   1.09 ms  →  0.289 ms    3.77×
        MatMul                 4-bit weights  62.9 µs  →  1,760 µs  0.0357×
        measured before, kept for this machine, one thread

      sharp 0.35.5: images
      tokens is missing, which is needed for text (not installed)
        → npm install tokens

      Next:
        lowbit quantize model.onnx --data images/
      "
    `);
  });

  test("a slower quantized layer, a missing runtime and a changed answer stand out", () => {
    const missing: RuntimeReport = { name: "ort-web", version: null, why: "no WebAssembly here (use Node)" };
    const { acceptance } = node;
    if (acceptance === undefined) throw new Error("no acceptance");
    const changed = {
      ...node,
      acceptance: {
        ...acceptance,
        sameVersion: false,
        again: {
          asked: 510,
          changes: [{ id: "fusion/Add", before: "fuses", now: { verdict: "rejects", says: "No Op" } }],
        },
      },
    } as const;
    const text = doctorText({ ...report, runtimes: [missing, changed] }, { color: true });
    const yellow = (words: string) => `\u001b[33m${words}`;
    expect(text).toContain(yellow("  MatMul "));
    expect(text).not.toContain(yellow("  Conv"));
    expect(text).toContain(`${yellow("ort-web cannot run here")}\u001b[39m\n  no WebAssembly here (use Node)`);
    expect(text).toContain("not the version installed here");
    expect(text).toContain("1 answer differs");
    expect(text).toContain("fusion/Add: fuses → rejects (No Op)");
  });

  test("many changes are counted, none are told as such", () => {
    const { acceptance } = node;
    if (acceptance === undefined) throw new Error("no acceptance");
    const change = { id: "a", before: "runs", now: { verdict: "hangs" } } as const;
    const again = (changes: number) =>
      doctorText({
        ...report,
        runtimes: [
          {
            ...node,
            acceptance: {
              ...acceptance,
              again: { asked: 510, changes: Array.from({ length: changes }, () => change) },
            },
          },
        ],
      });
    expect(again(25)).toContain("and 15 more");
    expect(again(0)).toContain("all 510 answers are the same");
  });

  test("keeps to the width, and survives what a platform calls itself", () => {
    for (const width of [40, 60, 100]) {
      for (const line of doctorText(report, { width }).split("\n")) {
        const isCommand = line.startsWith("  lowbit");
        if (!isCommand) expect(columns(line), line).toBeLessThanOrEqual(width);
      }
    }
    const hostile = {
      ...report,
      platform: { ...report.platform, engine: "Evil\u001b[2J\nBrowser" },
      webAssembly: null,
    };
    const text = doctorText(hostile);
    expect(text).not.toContain("\u001b");
    expect(text).toContain("no WebAssembly");
  });

  test("without a runtime the next step is to get one", () => {
    expect(doctorText({ ...report, runtimes: [] })).toContain("npm install --ignore-scripts onnxruntime-node");
  });
});
