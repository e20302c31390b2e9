import { LowbitError } from "#base/errors";
import { type AttributeInit, createNode } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { Node } from "#model/model";
import type { GradientWriter } from "#model/ops/gradient";
import { findOp } from "#model/ops/index";
import { isConcrete, knownTensor } from "#model/ops/known";
import { type Known, unknown } from "#model/ops/types";
import { tensorOf } from "#model/shapes";
import { type ElementType, fromNumbers, int64, sizeOf, type Tensor } from "#model/tensor";
import { weight } from "#model/weights";

/** Writes nodes into a draft, and keeps track of the shapes of what they make. */
export interface GraphWriter extends GradientWriter {
  /** The same writer with scalars of another type: what stands behind a Cast needs its own. */
  withElement(element: ElementType): GradientWriter;
  /** Says what a value is that no node makes: a new input. */
  declare(name: string, element: ElementType, shape: readonly number[]): void;
}

/** `shapes`: what is known of the values that the draft has already. `element`: the type of scalars. */
export function createGradientWriter(
  draft: GraphDraft,
  shapes: ReadonlyMap<string, Known>,
  opsets: ReadonlyMap<string, number>,
  element: ElementType,
): GraphWriter {
  const known = new Map(shapes);
  const siblings = new Map<string, readonly string[]>();
  const constants = new Map<string, string>();
  const facts = (value: string): Known => known.get(value) ?? unknown;
  const tensor = (value: Tensor, key?: string): string => {
    const shared = key === undefined ? undefined : constants.get(key);
    if (shared !== undefined) return shared;
    const name = draft.addInitializer(weight(draft.freshName("grad_constant"), value));
    known.set(name, knownTensor(value));
    if (key !== undefined) constants.set(key, name);
    return name;
  };
  /** What is known of a node's outputs. */
  const infer = (node: Node): void => {
    const inferred = findOp(node.domain, node.op)?.infer({
      node,
      opset: opsets.get(node.domain) ?? 1,
      inputs: node.inputs.map((name) => (name === "" ? undefined : facts(name))),
      inferGraph: () => [],
    });
    node.outputs.forEach((name, i) => {
      if (name !== "" && !known.has(name)) known.set(name, inferred?.[i] ?? unknown);
    });
  };
  const shared = {
    node(
      op: string,
      inputs: readonly string[],
      attributes: Readonly<Record<string, AttributeInit>> = {},
      { domain = "", outputs = 1 } = {},
    ): string {
      const base = `grad_${op.toLowerCase()}`;
      const names = Array.from({ length: outputs }, () => draft.freshName(base));
      const node = createNode(op, inputs, names, attributes, { domain, name: names[0] });
      draft.add(node);
      infer(node);
      siblings.set(names[0], names);
      return names[0];
    },
    outputsOf: (first: string) => siblings.get(first) ?? [first],
    outputOf(node: Node, index: number): string {
      const current = draft.current(node) ?? node;
      const there = current.outputs[index] ?? "";
      if (there !== "") return there;
      const name = draft.freshName(`${current.outputs[0]}_${index}`);
      const outputs = Array.from({ length: Math.max(index + 1, current.outputs.length) }, (_, i) =>
        i === index ? name : (current.outputs[i] ?? ""),
      );
      infer(draft.update(current, { outputs }));
      return name;
    },
    tensor: (value: Tensor) => tensor(value),
    integers: (values: readonly number[]) => tensor(int64([values.length], values), `integers ${values.join()}`),
    shapeOf(value: string): readonly number[] {
      const { shape } = facts(value);
      if (shape !== undefined && isConcrete(shape)) return shape;
      throw new LowbitError("model/shape", `the shape of ${value} is not known, and its gradient depends on it`, {
        at: { tensor: value },
        hint: "fix the sizes of the model's inputs",
      });
    },
    constantOf: (value: string) => tensorOf(facts(value)),
    sumTo(gradient: string, shape: readonly number[]): string {
      const from = shared.shapeOf(gradient);
      if (from.join() === shape.join()) return gradient;
      if (sizeOf(shape) === 1) return reshaped(sumAll(gradient), shape);
      const lead = from.length - shape.length;
      const axes = from.flatMap((dim, axis) => (axis < lead || (shape[axis - lead] === 1 && dim !== 1) ? [axis] : []));
      const summed =
        axes.length === 0 ? gradient : shared.node("ReduceSum", [gradient, shared.integers(axes)], { keepdims: 1 });
      return reshaped(summed, shape);
    },
  };
  const reshaped = (value: string, shape: readonly number[]): string =>
    shared.shapeOf(value).join() === shape.join() ? value : shared.node("Reshape", [value, shared.integers(shape)]);
  /**
   * The sum of all elements, in stages of at most `longestSum`: runtimes add float32 one after the other, and a million additions
   * of one size err by a thousandth.
   */
  const sumAll = (value: string): string => {
    const count = sizeOf(shared.shapeOf(value));
    if (count <= longestSum) return shared.node("ReduceSum", [value], { keepdims: 0 });
    const columns = stageOf(count);
    const missing = (columns - (count % columns)) % columns;
    const flat = reshaped(value, [count]);
    const type = facts(value).element ?? element;
    const zeros = missing === 0 ? "" : tensor(fromNumbers(type, [missing], new Float64Array(missing)));
    const full = missing === 0 ? flat : shared.node("Concat", [flat, zeros], { axis: 0 });
    const rows = reshaped(full, [(count + missing) / columns, columns]);
    return sumAll(shared.node("ReduceSum", [rows, shared.integers([1])], { keepdims: 0 }));
  };
  const withElement = (type: ElementType): GraphWriter => ({
    ...shared,
    withElement,
    declare: (name, of, shape) => void known.set(name, { element: of, shape }),
    scalar: (value) => tensor(fromNumbers(type, [], [value]), `${type} ${Object.is(value, -0) ? "-0" : value}`),
    typeOf: (value) => facts(value).element ?? type,
  });
  return withElement(element);
}

const longestSum = 1024;

/** The longest stage that divides `count`; `longestSum` where all are short, with zeros added. */
function stageOf(count: number): number {
  for (let columns = longestSum; columns >= 32; columns--) if (count % columns === 0) return columns;
  return longestSum;
}
