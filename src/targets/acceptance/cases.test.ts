import { describe, expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import { onnxBytes, readOnnx, validateModel } from "#formats/onnx/index";
import { acceptanceCases } from "#targets/acceptance/cases";
import { acceptances, countVerdicts } from "#targets/acceptance/index";
import { expected } from "#targets/acceptance/tryCase";

describe("the questions", () => {
  test("each has a name of its own", () => {
    expect(acceptanceCases.length).toBeGreaterThan(500);
    expect(new Set(acceptanceCases.map(({ id }) => id)).size).toBe(acceptanceCases.length);
  });

  test("are valid ONNX files, of some kilobytes", async () => {
    for (const given of acceptanceCases) {
      const bytes = await onnxBytes(given.model);
      expect(bytes.byteLength, given.id).toBeLessThan(20_000);
      const read = await readOnnx(bytesSource(bytes));
      expect(() => validateModel(read), given.id).not.toThrow();
      expect(read.graph.nodes.map(({ op }) => op)).toEqual(given.model.graph.nodes.map(({ op }) => op));
    }
  });

  test("allow one code, the rounding of float sums, or what they themselves permit", () => {
    const permits = /level4|float16|bfloat16|LSTM|floatEdges/;
    for (const { id, tolerance } of acceptanceCases.filter((given) => !permits.test(given.id))) {
      expect([0, 1e-6, 2e-6, 1e-5, 1], id).toContain(tolerance);
    }
  });

  test("ask something: right answers are many different numbers", async () => {
    const few = new Set(["fusion/Hardmax", "fusion/Round", "bits/Sign", "integer/saturation"]);
    const answered = acceptanceCases.filter(({ id }) => acceptances["ort-node"].rows[id].verdict !== "rejects");
    for (const given of answered.filter(({ id }) => !few.has(id))) {
      for (const { data } of Object.values(await expected(given))) {
        expect(new Set<unknown>(data).size, given.id).toBeGreaterThanOrEqual(Math.min(4, data.length / 2));
      }
    }
  });
});

describe.each(Object.entries(acceptances))("the table of %s", (name, table) => {
  test("answers every question, in their order", () => {
    expect(Object.keys(table.rows)).toEqual(acceptanceCases.map(({ id }) => id));
  });

  test("says who was asked", () => {
    expect(table.runtime).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+$`));
    expect(table.date).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(table.platform).not.toBe("");
    expect(table.processor).not.toBe("");
  });

  test("holds an error to the tolerance, and a refusal to its words", () => {
    for (const { id, tolerance } of acceptanceCases) {
      const { verdict, error = 0, says } = table.rows[id];
      expect(verdict === "changes", id).toBe(error > tolerance);
      expect(says !== undefined, id).toBe(["rejects", "crashes", "hangs"].includes(verdict));
    }
  });

  test("nothing crashes the runtime or hangs it", () => {
    expect(countVerdicts(table)).toMatchObject({ crashes: 0, hangs: 0 });
  });
});
