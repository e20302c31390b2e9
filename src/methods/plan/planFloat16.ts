import type { Diagnostic } from "#base/errors";
import { LowbitError } from "#base/errors";
import { halfNodes } from "#methods/plan/halfNodes";
import { findWeights } from "#methods/plan/weights";
import type { WishOf } from "#methods/plan/wishes";
import { halfLoss } from "#methods/quantize/halfConstants";
import type { PlannedNode, PlannedWeight, Stats } from "#methods/types";
import { subgraphs } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Graph, Model, Node, TensorRef } from "#model/model";
import type { ShapeMap } from "#model/shapes";
import { sizeOf, toNumbers } from "#model/tensor";
import { readWeight } from "#model/weights";

export interface Float16Planning {
  readonly model: Model;
  readonly shapes: ShapeMap;
  readonly wishOf: WishOf;
  /** Nodes whose values were seen out of range stay in float32. */
  readonly stats?: Stats;
  /** The runtime's name. */
  readonly target: string;
}

export interface PlannedFloat16 {
  /** Nodes that read weights, and nodes that stay in float32. */
  readonly nodes: readonly PlannedNode[];
  readonly weights: readonly PlannedWeight[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Constants from this size on are weights, and named in reports. */
const weightSize = 16;

/** Half precision for a whole model: which nodes compute in it, and what their constants lose. */
export async function planFloat16({ model, shapes, wishOf, stats, target }: Float16Planning): Promise<PlannedFloat16> {
  const decisions = halfNodes(model, shapes, wishOf, stats?.tensors ?? new Map());
  const constants = constantsOf(model.graph);
  const halves = new Set(decisions.filter(({ half }) => half).flatMap(({ node }) => node.inputs));
  const weightOf = ({ inputs }: Node): string | undefined =>
    inputs.find((name) => sizeOf(constants.get(name)?.dims ?? [0]) >= weightSize);
  const nodes = decisions.flatMap(({ node, half, why }): PlannedNode[] => {
    const weight = weightOf(node);
    if (half && weight === undefined) return [];
    const [key] = node.outputs;
    const compute = half ? "float16" : "float";
    const about = { node: key, name: node.name, op: node.op, output: key };
    return [{ ...about, ...(weight === undefined ? {} : { weight }), compute, why }];
  });
  const weights: PlannedWeight[] = [];
  const losses: Loss[] = [];
  for (const ref of constants.values()) {
    if (!halves.has(ref.name)) continue;
    const values = toNumbers(await readWeight(ref));
    if (values.some(Number.isNaN)) {
      throw new LowbitError("quant/non-finite", `${ref.name} holds NaN`, {
        at: { tensor: ref.name },
        hint: "repair the weights in training",
      });
    }
    losses.push({ name: ref.name, count: values.length, ...halfLoss(values) });
    weights.push({ tensor: ref.name, scheme: "float16", storage: "float16", axis: 0, why: "half precision" });
  }
  const layers = new Set(findWeights(model, new GraphDraft(model.graph)).map(({ ref }) => ref.name));
  return { nodes, weights, diagnostics: [...saturations(losses, layers), ...vanishings(losses), ...noFaster(target)] };
}

/** Float32 constants by name, down to subgraphs. */
function constantsOf(graph: Graph): Map<string, TensorRef> {
  const constants = new Map([...graph.initializers].filter(([, { element }]) => element === "float32"));
  for (const node of graph.nodes)
    for (const inner of subgraphs(node)) for (const [name, ref] of constantsOf(inner)) constants.set(name, ref);
  return constants;
}

interface Loss {
  readonly name: string;
  readonly count: number;
  readonly saturated: number;
  readonly vanished: number;
}

const named = 5;

/** Of a weight it is a loss; what masks hold is meant to be out of reach. */
function saturations(losses: readonly Loss[], weights: ReadonlySet<string>): Diagnostic[] {
  const found = losses.filter(({ saturated }) => saturated > 0).sort((a, b) => b.saturated - a.saturated);
  const all = found.slice(0, named).map(
    ({ name, count, saturated }): Diagnostic => ({
      code: "plan/saturated",
      level: weights.has(name) ? "warning" : "info",
      message: `${saturated} of ${count} numbers of ${name} are beyond half precision and become ±65,504`,
      at: { tensor: name },
    }),
  );
  if (found.length > named)
    all.push({
      code: "plan/saturated",
      level: "info",
      message: `so do numbers of ${found.length - named} more constants`,
    });
  return all;
}

function noFaster(target: string): Diagnostic[] {
  if (target !== "ort-node" && target !== "ort-web") return [];
  return [
    {
      code: "plan/no-faster",
      level: "info",
      message: `${target} has few kernels for half precision and casts to float32 around the others: the file is half as big, and no faster`,
      hint: "for processors take --recipe w16, which is as small and computes in float32; fp16 is for GPUs",
    },
  ];
}

/** Rounding to zero is what rounding does; it is told where a hundredth of a tensor is lost. */
function vanishings(losses: readonly Loss[]): Diagnostic[] {
  const found = losses.filter(({ vanished, count }) => count >= weightSize && vanished * 100 > count);
  if (found.length === 0) return [];
  const [worst] = [...found].sort((a, b) => b.vanished / b.count - a.vanished / a.count);
  const more = found.length > 1 ? `, and numbers of ${found.length - 1} more constants` : "";
  const message = `${worst.vanished} of ${worst.count} numbers of ${worst.name} are too small for half precision and become 0${more}`;
  return [{ code: "plan/vanished", level: "info", message, at: { tensor: worst.name } }];
}
