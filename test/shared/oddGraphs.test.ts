/**
 * Graphs that almost make sense: backend cases with inputs dropped or swapped, attributes and operator sets changed.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { LowbitError } from "#base/errors";
import { createRng, type Rng } from "#base/rng";
import { foldConstants } from "#model/constantFolding";
import { interpret } from "#model/interpreter";
import type { Attribute, Model, Node } from "#model/model";
import { inferShapes } from "#model/shapes";
import { readBackendCases } from "./backendCases";

const folder = fileURLToPath(new URL("../../../shared/data/onnx-backend-tests", import.meta.url));

const oddNumbers = [-1, 0, 1, 2, 3, 7, -5, 64, 2 ** 31, -(2 ** 62)];

function oddAttribute(attribute: Attribute, rng: Rng): Attribute {
  const number = (): number => oddNumbers[rng.below(oddNumbers.length)];
  switch (attribute.kind) {
    case "int":
      return { ...attribute, value: number() };
    case "ints":
      return { ...attribute, value: Array.from({ length: rng.below(5) }, number) };
    case "float":
      return { ...attribute, value: [0, Number.NaN, -1, 1e30][rng.below(4)] };
    case "string":
      return { kind: "int", value: number() };
    default:
      return attribute;
  }
}

function oddNode(node: Node, names: readonly string[], rng: Rng): Node {
  const attributes = new Map(node.attributes);
  const inputs = [...node.inputs];
  switch (rng.below(4)) {
    case 0:
      for (const [name, attribute] of attributes)
        if (rng.below(2) === 0) attributes.set(name, oddAttribute(attribute, rng));
      break;
    case 1:
      if (inputs.length > 0) inputs[rng.below(inputs.length)] = "";
      break;
    case 2:
      if (inputs.length > 0) inputs[rng.below(inputs.length)] = names[rng.below(names.length)];
      break;
    default:
      inputs.length = rng.below(inputs.length + 1);
  }
  return { ...node, attributes, inputs };
}

function odd(model: Model, rng: Rng): Model {
  const { graph } = model;
  // only names that come first: a cycle has an error of its own
  const names = graph.inputs.map(({ name }) => name);
  if (names.length === 0) names.push("");
  const chosen = rng.below(graph.nodes.length);
  const nodes = graph.nodes.map((node, i) => (i === chosen ? oddNode(node, names, rng) : node));
  const opsets = rng.below(4) === 0 ? new Map([["", 1 + rng.below(26)]]) : model.opsets;
  return { ...model, opsets, graph: { ...graph, nodes } };
}

describe.skipIf(!existsSync(folder))("odd graphs (skipped where ../shared is absent)", async () => {
  const cases = existsSync(folder) ? await readBackendCases(folder, "node") : [];
  const ours = cases.filter(({ sets, model }) => sets !== undefined && model.graph.nodes.length > 0);

  test("are inferred and folded as far as they make sense, and refused by name when they run", {
    timeout: 120_000,
  }, async () => {
    const rng = createRng(3);
    const failures: string[] = [];
    for (const { name, model, sets = [] } of ours) {
      for (let round = 0; round < 4; round++) {
        const graph = odd(model, rng);
        let stage = "infer";
        try {
          await inferShapes(graph);
          stage = "fold";
          await foldConstants(graph);
          stage = "run";
          const deadline = performance.now() + 2_000;
          (await interpret(graph)).run(sets[0].inputs, {
            beforeNode: () => {
              if (performance.now() > deadline) throw new LowbitError("runtime/timeout", "an odd loop");
            },
          });
        } catch (error) {
          // what no operator foresaw is told apart by its cause; running out of memory is foreseen by the engine
          const foreseen =
            error instanceof LowbitError && (error.cause === undefined || error.cause instanceof RangeError);
          const named = foreseen && stage === "run";
          if (!named)
            failures.push(
              `${name} ${stage}: ${String((error as Error).stack)
                .split("\n")
                .slice(0, 3)
                .join(" ")}`,
            );
        }
      }
    }
    expect(failures.map((f) => f.slice(0, 300))).toEqual([]);
  });
});
