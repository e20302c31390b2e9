import { LowbitError } from "#base/errors";
import {
  floatAttribute,
  floatsAttribute,
  intAttribute,
  intsAttribute,
  stringAttribute,
  stringsAttribute,
  tensorAttribute,
} from "#model/attributes";
import type { Node } from "#model/model";
import { knownTensor } from "#model/ops/known";
import { placeOf } from "#model/ops/operand";
import { type Known, type Op, unknown } from "#model/ops/types";
import { float32, int64, type Tensor } from "#model/tensor";
import { loadedWeight } from "#model/weights";

/** A tensor written into the node, in one of seven attributes. Sparse tensors are not read. */
export const Constant: Op = {
  domain: "",
  name: "Constant",
  infer: ({ node }) => {
    const value = constantOf(node);
    const ref = tensorAttribute(node, "value");
    const known: Known = ref === undefined ? unknown : { element: ref.element, shape: ref.dims };
    return [value === undefined ? known : knownTensor(value)];
  },
  forward: ({ node }) => {
    const value = constantOf(node);
    if (value !== undefined) return [value];
    throw new LowbitError("model/attribute", "this Constant holds no tensor that is in memory", { at: placeOf(node) });
  },
};

/** The node's tensor; undefined if it is sparse, or still in the file (see `loadConstants`). */
export function constantOf(node: Node): Tensor | undefined {
  const ref = tensorAttribute(node, "value");
  if (ref !== undefined) return loadedWeight(ref);
  const [name] = [...node.attributes.keys()].filter((key) => key.startsWith("value_"));
  switch (name) {
    case "value_float":
      return float32([], [floatAttribute(node, name, 0)]);
    case "value_floats": {
      const values = floatsAttribute(node, name) ?? [];
      return float32([values.length], values);
    }
    case "value_int":
      return int64([], [intAttribute(node, name, 0)]);
    case "value_ints": {
      const values = intsAttribute(node, name) ?? [];
      return int64([values.length], values);
    }
    case "value_string":
      return { type: "string", dims: [], data: [stringAttribute(node, name, "")] };
    case "value_strings": {
      const values = stringsAttribute(node, name) ?? [];
      return { type: "string", dims: [values.length], data: values };
    }
    default:
      return undefined;
  }
}
