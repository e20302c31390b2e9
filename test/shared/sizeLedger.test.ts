/** Real models, none of them written by us, taken apart to the last byte. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openOnnxFile } from "#formats/onnx/onnxFile.node";
import { inferShapes } from "#model/shapes";
import { constantGroups } from "#report/constantGroups";
import { sizeLedger } from "#report/sizeLedger";

const shared = new URL("../../../shared/models/", import.meta.url).pathname;
const files = existsSync(shared)
  ? readdirSync(shared, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".onnx"))
  : [];

describe.skipIf(files.length === 0)("the size ledger of real models (../shared/models)", () => {
  test.each(files.sort())("%s: the rows add up to the file", async (file) => {
    const { model, close } = await openOnnxFile(shared + file);
    const { rows } = await sizeLedger(model, statSync(shared + file).size);
    if (process.env.SHOW) console.log(file, rows.slice(0, 8), rows.at(-1), constantGroups(model, await inferShapes(model)).slice(0,12).map(g=>[g.name,g.role,g.stored.text,g.stored.shape.join(),g.members.map(m=>m.name).join(" + "),g.tied,g.uses.map(u=>u.node?.op+":"+u.input).join()].join(" | ")));
    await close();
    expect(rows.reduce((sum, row) => sum + row.bytes, 0)).toBe(statSync(shared + file).size);
    for (const row of rows) expect(row.bytes, row.tensor).toBeGreaterThan(0);
  });
});
