/**
 * Which nodes compute in half precision. All that can, but for what would go wrong in 11 bits of mantissa and 5 of exponent:
 *
 * - Numbers that began as integers (positions, masks, sizes) and what is computed from them and small constants alone: half
 *   precision counts to 2,048, and the angles of a position are wrong long before.
 * - What makes or reads values that were seen beyond ±65,504 in calibration.
 */
import type { WishOf } from "#methods/plan/wishes";
import { isFloatNode, type TypeOf, valueTypes } from "#methods/plan/valueTypes";
import { intAttribute, intsAttribute, subgraphs } from "#model/attributes";
import type { Graph, Model, Node } from "#model/model";
import type { ShapeMap } from "#model/shapes";
import { elementTypes, sizeOf } from "#model/tensor";
import type { Summary } from "#quant/summary";
import { whyNotHalf } from "#targets/halfOperators";

export interface HalfDecision {
  readonly node: Node;
  /** Whether it computes in half precision. */
  readonly half: boolean;
  readonly why: string;
}

/** Constants up to this size do not make a weight of what they are multiplied with. */
const smallConstant = 1024;
const greatestHalf = 65_504;
const integers = /^u?int\d/;

/** A decision for every node with float32 inputs or outputs, down to subgraphs. */
export function halfNodes(
  model: Model,
  shapes: ShapeMap,
  wishOf: WishOf,
  seen: ReadonlyMap<string, Summary>,
): HalfDecision[] {
  const opset = model.opsets.get("") ?? 0;
  const typeOf = valueTypes(model, shapes);
  const decisions: HalfDecision[] = [];
  const visit = (graph: Graph, outer: ReadonlyMap<string, number>, counts: Set<string>): void => {
    const own = [...graph.initializers].map(([name, { dims }]): [string, number] => [name, sizeOf(dims)]);
    const constants = new Map([...outer, ...own]);
    const multiplied = new Set(graph.nodes.flatMap((node) => (node.op === "MatMul" ? node.inputs : [])));
    for (const node of graph.nodes) {
      const isCounting = countsFrom(node, typeOf, counts, constants);
      if (isCounting) for (const name of node.outputs) counts.add(name);
      for (const inner of subgraphs(node)) visit(inner, constants, counts);
      const wish = wishOf(node);
      if (!isFloatNode(node, typeOf)) {
        if (node.inputs.some((name) => typeOf(name) === "float32"))
          decisions.push({ node, half: false, why: "the types of its values are not all known" });
        continue;
      }
      const beyond = [...node.inputs, ...node.outputs].find((name) => exceeds(seen.get(name)));
      const why =
        (wish.activations === "float" ? wish.why : undefined) ??
        whyNotHalf(node, opset) ??
        (isCounting ? "it computes with counts or positions" : undefined) ??
        (beyond === undefined ? undefined : `${beyond} was seen beyond ±65,504`) ??
        (toDouble(node) ? "it asks for double precision" : undefined) ??
        (movesBatch(node) && multiplied.has(node.outputs[0]) ? "ONNX Runtime 1.30 crashes on it in half" : undefined);
      decisions.push({ node, half: why === undefined, why: why ?? "half precision" });
    }
  };
  visit(model.graph, new Map(), new Set());
  return decisions;
}

/**
 * Whether a Transpose moves the first axis to one of the last two and leaves the others in order. ONNX Runtime 1.30 takes it into
 * the MatMul behind it, and in half precision does so across a Cast of its own, where it ends the process (rank ≥ 3; tried with all
 * permutations of 2 to 4 axes on both sides of the product).
 */
function movesBatch(node: Node): boolean {
  const perm = node.op === "Transpose" ? intsAttribute(node, "perm") : undefined;
  return perm !== undefined && perm.length > 2 && perm.slice(0, -2).every((axis, i) => axis === i + 1);
}

/** Whether a node's float results are counts: cast from integers, or computed from counts and small constants alone. */
function countsFrom(
  node: Node,
  typeOf: TypeOf,
  counts: ReadonlySet<string>,
  constants: ReadonlyMap<string, number>,
): boolean {
  if (node.domain !== "") return false;
  const { inputs } = node;
  if (node.op === "Cast") {
    const from = typeOf(inputs[0]);
    const toFloat = intAttribute(node, "to", 0) === elementTypes.float32.code;
    return (toFloat && from !== undefined && integers.test(from)) || counts.has(inputs[0]);
  }
  if (node.op === "Range") return typeOf(node.outputs[0]) === "float32";
  const floats = inputs.filter((name) => typeOf(name) === "float32");
  return (
    floats.some((name) => counts.has(name)) &&
    floats.every((name) => counts.has(name) || (constants.get(name) ?? Number.POSITIVE_INFINITY) <= smallConstant)
  );
}

function exceeds(summary: Summary | undefined): boolean {
  return summary !== undefined && (summary.max > greatestHalf || summary.min < -greatestHalf);
}

function toDouble(node: Node): boolean {
  return node.op === "Cast" && intAttribute(node, "to", 0) === elementTypes.float64.code;
}
