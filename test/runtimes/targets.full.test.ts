/**
 * Asks the installed runtimes again: every question natively; in WebAssembly, which takes some 60 ms a question, all those with
 * an answer out of the ordinary and a sixth of the others (npm run targets asks all).
 */
import { afterAll, describe, expect, test } from "vitest";
import { onnxBytes } from "#formats/onnx/index";
import type { OpenSession } from "#model/session";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import { acceptanceCases } from "#targets/acceptance/cases";
import { acceptances } from "#targets/acceptance/index";
import { changedRows, measureAcceptance } from "#targets/acceptance/measure";

const platform = `${process.platform} ${process.arch}`;

describe.each(["ort-node", "ort-web"] as const)("%s", (name) => {
  const runtime = nodeRuntimes[name];
  const table = acceptances[name];
  const openSession: OpenSession = (model, options) => runtime.open({ model, bytes: () => onnxBytes(model) }, options);
  afterAll(() => runtime.shutdown());

  test("is the version that the table is about; after an upgrade: npm run targets", async (context) => {
    const version = await runtime.version();
    if (version === undefined) context.skip(`${name} is not installed`);
    expect(`${name} ${version}`).toBe(table.runtime);
  });

  test("answers as the table says", { timeout: 120_000 }, async (context) => {
    if ((await runtime.version()) === undefined) context.skip(`${name} is not installed`);
    if (table.platform !== platform) context.skip(`the table was measured on ${table.platform}, this is ${platform}`);
    const asked = acceptanceCases
      .filter(({ varies }) => varies === undefined)
      .filter(({ id }, i) => name === "ort-node" || table.rows[id].verdict !== "runs" || i % 6 === 0);
    const now = await measureAcceptance(asked, openSession, table);
    const before = { ...table, rows: Object.fromEntries(asked.map(({ id }) => [id, table.rows[id]])) };
    const changes = changedRows(before, now).map(
      ({ id, before: was, now: is }) => `${id}: ${was?.verdict} → ${is?.verdict} ${is?.says ?? ""}`,
    );
    expect(changes).toEqual([]);
  });
});
