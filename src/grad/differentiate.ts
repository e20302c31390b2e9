/**
 * Turns a model into one that also computes the gradients of its loss: reverse-mode differentiation over the graph, each operator's
 * rule beside its definition (`Op.gradient`). The result is an ordinary model of standard operators.
 *
 *   dL/dx = Σ over readers of x of their rule's answer
 */
import { LowbitError } from "#base/errors";
import { createGradientWriter } from "#grad/gradientWriter";
import { prepare } from "#grad/prepare";
import { GraphDraft } from "#model/edit";
import { functionOf } from "#model/functions";
import type { Model, Node, ValueInfo } from "#model/model";
import type { GradientRule } from "#model/ops/gradient";
import { findOp } from "#model/ops/index";
import { placeOf } from "#model/ops/operand";
import type { Known } from "#model/ops/types";
import type { ShapeMap } from "#model/shapes";
import type { ElementType } from "#model/tensor";
import { readsOf, sortNodes } from "#model/topology";

export interface Differentiated {
  /** Outputs: those of the model, then the gradients. */
  readonly model: Model;
  /** Names of the gradients' outputs, in the order of what was asked for. Each has its value's type and shape. */
  readonly gradients: readonly string[];
}

/**
 * Adds dL/dv for each `v` of `values`: inputs, weights or computed values of the model (weights become inputs elsewhere, if they are
 * to change). `loss` names a value of one element. `inputShapes` fixes open dims, in the result too: gradients
 * depend on sizes.
 *
 * Throws model/unsupported-operator naming all operators without a rule, and model/missing-tensor where a value does not reach the loss.
 */
export async function differentiate(
  original: Model,
  loss: string,
  values: readonly string[],
  inputShapes: Readonly<Record<string, readonly number[]>> = {},
): Promise<Differentiated> {
  const { model, shapes } = await prepare(original, inputShapes);
  const draft = new GraphDraft(model.graph);
  const nodes = sortNodes(draft.nodes());
  const active = activeValues(nodes, shapes, loss, values);
  const onPath = nodes.filter((node) => node.outputs.some((name) => active.has(name)));
  /** A function of the model's own hides the operator of its name. */
  const ruleOf = (node: Node): GradientRule | undefined =>
    functionOf(model, node) === undefined ? findOp(node.domain, node.op)?.gradient : undefined;
  refuseUnsupported(onPath.filter((node) => ruleOf(node) === undefined));
  const lost = values.filter((name) => !active.has(name));
  if (lost.length > 0)
    throw new LowbitError("model/missing-tensor", `the loss ${loss} does not depend on ${lost.join(", ")}`, {
      at: { tensor: lost[0] },
      hint: "name inputs or weights, of floats, that the loss is computed from",
    });
  const known = new Map([...shapes].map(([name, facts]) => [name, active.has(name) ? variable(facts) : facts]));
  const elementOf = (name: string): ElementType => known.get(name)?.element ?? "float32";
  const write = createGradientWriter(draft, known, model.opsets, elementOf(loss));
  const parts = new Map<string, string[]>();
  const one = write.scalar(1);
  const lossShape = write.shapeOf(loss);
  if (lossShape.some((dim) => dim !== 1))
    throw new LowbitError("model/shape", `the loss ${loss} has shape [${lossShape.join(", ")}], not one element`, {
      at: { tensor: loss },
    });
  parts.set(loss, [lossShape.length === 0 ? one : write.node("Reshape", [one, write.integers(lossShape)])]);
  const total = (name: string): string | undefined => {
    const found = parts.get(name);
    if (found === undefined) return undefined;
    const sum = found.length === 1 ? found[0] : write.node("Sum", found);
    parts.set(name, [sum]);
    return sum;
  };
  for (const node of onPath.reverse()) {
    const gradients = node.outputs.map((name) => (name === "" ? undefined : total(name)));
    if (gradients.every((gradient) => gradient === undefined)) continue;
    const wanted = node.inputs.map((name) => active.has(name));
    const rule = ruleOf(node);
    if (rule === undefined) continue; // refused above
    const opset = model.opsets.get(node.domain) ?? 1;
    const answers = rule({ node, opset, gradients, wanted, write: write.withElement(elementOf(node.outputs[0])) });
    node.inputs.forEach((name, i) => {
      const answer = answers[i];
      if (wanted[i] && answer !== undefined) parts.set(name, [...(parts.get(name) ?? []), answer]);
    });
  }
  const gradients = values.map((name) => {
    const gradient = total(name);
    if (gradient !== undefined) return write.node("Identity", [gradient]);
    // everything on the way had a gradient of zero, as Floor has
    return write.node("Expand", [write.withElement(elementOf(name)).scalar(0), write.integers(write.shapeOf(name))]);
  });
  const graph = draft.finish();
  const outputs = gradients.map((name, i): ValueInfo => {
    const type = { kind: "tensor", element: write.typeOf(values[i]), shape: write.shapeOf(values[i]) } as const;
    return { name, type, doc: "", metadata: new Map() };
  });
  return {
    model: {
      ...model,
      opsets: imported(model, graph.nodes),
      graph: { ...graph, outputs: [...graph.outputs, ...outputs] },
    },
    gradients,
  };
}

/** What is known of a value that will change: all but its content. */
function variable({ element, shape }: Known): Known {
  return { element, shape };
}

const floats: ReadonlySet<ElementType | undefined> = new Set(["float32", "float64", "float16", "bfloat16"]);

/**
 * Values on a way from what is to be differentiated for to the loss. The way is one of floats: nothing passes through what is
 * computed of shapes, indices and comparisons. A value whose type is not known counts as one.
 */
function activeValues(nodes: readonly Node[], shapes: ShapeMap, loss: string, values: readonly string[]): Set<string> {
  const isFloat = (name: string): boolean => {
    const element = shapes.get(name)?.element;
    return name !== "" && (element === undefined || floats.has(element));
  };
  const forward = new Set(values.filter(isFloat));
  for (const node of nodes)
    if (readsOf(node).some((name) => forward.has(name)))
      for (const name of node.outputs.filter(isFloat)) forward.add(name);
  const backward = new Set([loss]);
  for (const node of [...nodes].reverse())
    if (node.outputs.some((name) => backward.has(name) && isFloat(name)))
      for (const name of readsOf(node)) backward.add(name);
  return new Set([...forward].filter((name) => backward.has(name)));
}

function refuseUnsupported(missing: readonly Node[]): void {
  if (missing.length === 0) return;
  const names = new Set(missing.map(({ domain, op }) => (domain === "" ? op : `${domain}:${op}`)));
  throw new LowbitError("model/unsupported-operator", `no gradient is known of ${[...names].sort().join(", ")}`, {
    at: placeOf(missing[0]),
    hint: "keep these layers fixed, or train the model where they are known",
  });
}

/** Operator sets by domain, with the first one of domains that only the backward pass uses. */
function imported(model: Model, nodes: readonly Node[]): ReadonlyMap<string, number> {
  const opsets = new Map(model.opsets);
  for (const { domain } of nodes) if (!opsets.has(domain)) opsets.set(domain, 1);
  return opsets;
}
