/** Raising the operator set changes no result: on every backend test and zoo model that is old enough to be raised. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { LowbitError } from "#base/errors";
import { reachableNodes } from "#model/functions";
import { interpret } from "#model/interpreter";
import { raiseOpset } from "#model/opset";
import { findOp } from "#model/ops/index";
import { inferShapes } from "#model/shapes";
import { type BackendCase, backendSuites, readBackendCases } from "./backendCases";
import { differentCases } from "./backendExclusions";
import { difference } from "./sameTensor";

const folder = fileURLToPath(new URL("../../../shared/data/onnx-backend-tests", import.meta.url));
const targets = [10, 11, 13, 16, 18, 21, 25];

/** Cases whose old form has no new one, by the operator that says so. */
const refused = new Set(["GroupNormalization", "Scan"]);

describe.skipIf(!existsSync(folder))("raised operator sets (skipped where ../shared is absent)", async () => {
  const suites = existsSync(folder)
    ? await Promise.all(backendSuites.map((suite) => readBackendCases(folder, suite)))
    : [];
  const known = ({ model }: BackendCase): boolean =>
    reachableNodes(model).every((node) => findOp(node.domain, node.op)?.forward !== undefined);
  const cases = suites
    .flat()
    .filter(
      (each) =>
        each.sets !== undefined &&
        known(each) &&
        differentCases[each.name] === undefined &&
        (each.model.opsets.get("") ?? 0) >= 7,
    );
  let raised = 0;

  test.each(cases.map((each) => [each.name, each] as const))("%s", async (_, { model, sets = [] }) => {
    const from = model.opsets.get("") ?? 0;
    const shapes = await inferShapes(model);
    for (const to of targets.filter((opset) => opset > from)) {
      let newer: typeof model;
      try {
        newer = raiseOpset(model, to, shapes);
      } catch (error) {
        expect(error).toBeInstanceOf(LowbitError);
        expect(refused).toContain((error as LowbitError).at.op);
        continue;
      }
      expect(newer.opsets.get("")).toBe(to);
      const interpreter = await interpret(newer);
      for (const { inputs, outputs } of sets) {
        const results = interpreter.run(inputs);
        for (const [name, expected] of Object.entries(outputs))
          expect(difference(results[name], expected), `opset ${from} → ${to}, ${name}`).toBeUndefined();
      }
      raised++;
    }
  });

  afterAll(() => {
    process.stdout.write(`opset raises that changed nothing: ${raised}\n`);
  });
});
