import { LowbitError } from "#base/errors";
import { type AttributeInit, createNode } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { GradientWriter } from "#model/ops/gradient";
import { findOp } from "#model/ops/index";
import { isConcrete, knownTensor } from "#model/ops/known";
import { type Known, unknown } from "#model/ops/types";
import { type ElementType, fromNumbers, int64, type Tensor } from "#model/tensor";
import { weight } from "#model/weights";

/** Adds backward nodes to a draft, and keeps track of the shapes of what they make. */
export function createGradientWriter(
  draft: GraphDraft,
  shapes: ReadonlyMap<string, Known>,
  opsets: ReadonlyMap<string, number>,
  element: ElementType,
): GradientWriter {
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
  const writer: GradientWriter = {
    node(op, inputs, attributes: Readonly<Record<string, AttributeInit>> = {}, { domain = "", outputs = 1 } = {}) {
      const base = `grad_${op.toLowerCase()}`;
      const names = Array.from({ length: outputs }, () => draft.freshName(base));
      const node = createNode(op, inputs, names, attributes, { domain, name: names[0] });
      draft.add(node);
      const inferred = findOp(domain, op)?.infer({
        node,
        opset: opsets.get(domain) ?? 1,
        inputs: inputs.map((name) => (name === "" ? undefined : facts(name))),
        inferGraph: () => [],
      });
      names.forEach((name, i) => known.set(name, inferred?.[i] ?? unknown));
      siblings.set(names[0], names);
      return names[0];
    },
    outputsOf: (first) => siblings.get(first) ?? [first],
    tensor: (value) => tensor(value),
    scalar: (value) => tensor(fromNumbers(element, [], [value]), `scalar ${Object.is(value, -0) ? "-0" : value}`),
    integers: (values) => tensor(int64([values.length], values), `integers ${values.join()}`),
    shapeOf(value) {
      const { shape } = facts(value);
      if (shape !== undefined && isConcrete(shape)) return shape;
      throw new LowbitError("model/shape", `the shape of ${value} is not known, and its gradient depends on it`, {
        at: { tensor: value },
        hint: "fix the sizes of the model's inputs",
      });
    },
    typeOf: (value) => facts(value).element ?? element,
    constantOf: (value) => facts(value).value,
    sumTo(gradient, shape) {
      const from = writer.shapeOf(gradient);
      if (from.join() === shape.join()) return gradient;
      const lead = from.length - shape.length;
      const axes = from.flatMap((dim, axis) => (axis < lead || (shape[axis - lead] === 1 && dim !== 1) ? [axis] : []));
      const summed =
        axes.length === 0 ? gradient : writer.node("ReduceSum", [gradient, writer.integers(axes)], { keepdims: 1 });
      return writer.shapeOf(summed).join() === shape.join()
        ? summed
        : writer.node("Reshape", [summed, writer.integers(shape)]);
    },
  };
  return writer;
}
