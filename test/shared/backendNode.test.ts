/** The reference runtime and shape inference against ONNX's backend tests, which onnx's own definitions made. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { reachableNodes } from "#model/functions";
import { interpret } from "#model/interpreter";
import { findOp } from "#model/ops/index";
import { inferShapes } from "#model/shapes";
import { type BackendCase, backendSuites, readBackendCases } from "./backendCases";
import { differentCases, missingOperators, otherValues } from "./backendExclusions";
import { contradiction, difference } from "./sameTensor";

const folder = fileURLToPath(new URL("../../../shared/data/onnx-backend-tests", import.meta.url));

/** What is not as stored, in words; undefined when all outputs are. */
async function run({ model, sets = [] }: BackendCase): Promise<string | undefined> {
  const interpreter = await interpret(model);
  for (const { inputs, outputs } of sets) {
    const results = interpreter.run(inputs);
    for (const [name, expected] of Object.entries(outputs)) {
      const wrong = difference(results[name], expected);
      if (wrong !== undefined) return `${name}: ${wrong}`;
    }
  }
  return undefined;
}

/** Every value that can be computed from the inputs at hand, compared with what was inferred of it. */
async function checkInference({ model, sets = [] }: BackendCase): Promise<readonly string[]> {
  const shapes = await inferShapes(model);
  const interpreter = await interpret(model);
  const fetches = [...new Set(model.graph.nodes.flatMap((node) => node.outputs))].filter((name) => name !== "");
  return sets.flatMap(({ inputs }) => {
    const symbols = new Map<string, number>();
    return Object.entries({ ...inputs, ...interpreter.run(inputs, { fetches }) }).flatMap(([name, value]) => {
      const wrong = contradiction(shapes.get(name), value, symbols);
      return wrong === undefined ? [] : [`${name}: ${wrong}`];
    });
  });
}

describe.skipIf(!existsSync(folder))("ONNX's backend tests (skipped where ../shared is absent)", async () => {
  const suites = existsSync(folder)
    ? await Promise.all(backendSuites.map((suite) => readBackendCases(folder, suite)))
    : [];
  const cases = suites.flat();
  const missing = ({ model }: BackendCase): string[] =>
    reachableNodes(model)
      .filter((node) => findOp(node.domain, node.op)?.forward === undefined)
      .map((node) => `${node.domain}:${node.op}`);
  const ours = cases.filter((each) => each.sets !== undefined && missing(each).length === 0);
  const expectedToPass = ours.filter(({ name }) => differentCases[name] === undefined);
  let passed = 0;

  test.each(expectedToPass.map((each) => [each.name, each] as const))("%s", async (_, each) => {
    expect(await run(each)).toBeUndefined();
    expect(await checkInference(each)).toEqual([]);
    passed++;
  });

  test.each(Object.entries(differentCases))("%s is different, because %s", async (name) => {
    const each = ours.find((candidate) => candidate.name === name);
    expect(each, "the case is gone").toBeDefined();
    const outcome = await run(each as BackendCase).catch((error: unknown) => String(error));
    expect(outcome, "it passes now: take it off the list").toBeDefined();
  });

  test("only the listed cases of our operators have sequences or optionals at their edge", () => {
    const edge = cases.filter((each) => each.sets === undefined && missing(each).length === 0).map(({ name }) => name);
    expect(edge.sort()).toEqual(Object.keys(otherValues).sort());
  });

  test("every operator without a definition is on the list, and none on it has one", () => {
    const absent = new Set(cases.flatMap(missing));
    expect([...absent].filter((name) => missingOperators[name] === undefined)).toEqual([]);
    expect(Object.keys(missingOperators).filter((name) => !absent.has(name))).toEqual([]);
  });

  afterAll(() => {
    const [all, runnable, different] = [cases.length, ours.length, Object.keys(differentCases).length];
    process.stdout.write(
      `backend tests: ${all} cases, ${runnable} of our operators, ${passed} pass, ${different} differ\n`,
    );
  });
});
