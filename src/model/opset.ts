/**
 * Raises the ai.onnx operator set of a model, node by node, without changing what it computes. Needed because a number format
 * may be younger than the model: per-channel Q/DQ asks for opset 13, 4-bit integers for 21, 2-bit for 25.
 *
 * The rules below are all the changes from opset 7 to 26 that alter an operator's inputs, attributes or defaults (compared
 * schema by schema against onnx.defs); every other new version only admits more types. Older than 7 (its own broadcasting) is refused.
 */
import { LowbitError } from "#base/errors";
import {
  attribute,
  type AttributeInit,
  createNode,
  floatAttribute,
  intAttribute,
  intsAttribute,
  stringAttribute,
} from "#model/attributes";
import type { Attribute, Graph, Model, Node } from "#model/model";
import type { Known } from "#model/ops/types";
import { float32, int64, type Tensor } from "#model/tensor";
import { weight } from "#model/weights";

/** The smallest file version (IR) that may carry each operator set (onnx/docs/Versioning.md), where that matters. */
const irForOpset: readonly (readonly [opset: number, ir: number])[] = [
  [25, 13],
  [24, 12],
  [23, 11],
  [21, 10],
  [19, 9],
  [15, 8],
  [12, 7],
  [11, 6],
  [9, 4],
  [7, 3],
];

export function irVersionFor(opset: number): number {
  return irForOpset.find(([from]) => opset >= from)?.[1] ?? 3;
}

interface Upgrade {
  readonly node: Node;
  /** A new value name, unique in the model. */
  readonly fresh: (hint: string) => string;
  /** Emits a Constant node before the one being upgraded; returns its value's name. */
  readonly constant: (value: Tensor, hint: string) => string;
  readonly rank: (name: string) => number | undefined;
  /** Emits another node before (default) or after the one being upgraded. */
  readonly emit: (node: Node) => void;
}

/** Returns the upgraded node; throws `model/opset` when the old meaning cannot be expressed. */
type Rule = (upgrade: Upgrade) => Node;

/**
 * The same model at operator set `to` or, when it is there already, itself. `shapes` (of inferShapes) lets Softmax keep its plain
 * form. Model-local functions import their own operator sets and stay as they are.
 */
export function raiseOpset(model: Model, to: number, shapes?: ReadonlyMap<string, Known>): Model {
  const from = model.opsets.get("") ?? 0;
  if (from === 0 || from >= to) return model;
  if (from < 7) {
    throw new LowbitError(
      "model/opset",
      `opset ${from} cannot be raised to ${to}: operators before opset 7 broadcast by their own rules`,
      {
        ...(model.origin === undefined ? {} : { at: { file: model.origin.name } }),
        hint: "export the model again with opset 11 or newer",
      },
    );
  }
  const names = new Set<string>();
  collectNames(model.graph, names);
  const opsets = new Map(model.opsets).set("", to);
  const graph = raiseGraph(model.graph, from, to, shapes ?? new Map(), names);
  return { ...model, irVersion: Math.max(model.irVersion, irVersionFor(to)), opsets, graph };
}

function raiseGraph(
  graph: Graph,
  from: number,
  to: number,
  shapes: ReadonlyMap<string, Known>,
  names: Set<string>,
): Graph {
  const nodes: Node[] = [];
  const fresh = (hint: string): string => {
    for (let i = 0; ; i++) {
      const name = `${hint}_${i}`;
      if (!names.has(name)) {
        names.add(name);
        return name;
      }
    }
  };
  for (const original of graph.nodes) {
    let node = raiseSubgraphs(original, from, to, shapes, names);
    for (const [version, rule] of node.domain === "" ? (rules.get(node.op) ?? []) : []) {
      if (version <= from || version > to) continue;
      node = rule({
        node,
        fresh,
        constant(value, hint) {
          const name = fresh(hint);
          nodes.push(createNode("Constant", [], [name], { value: { tensor: weight("", value) } }));
          return name;
        },
        rank: (name) => shapes.get(name)?.shape?.length,
        emit: (extra) => nodes.push(extra),
      });
    }
    nodes.push(node);
  }
  return { ...graph, nodes };
}

function raiseSubgraphs(
  node: Node,
  from: number,
  to: number,
  shapes: ReadonlyMap<string, Known>,
  names: Set<string>,
): Node {
  let changed = false;
  const attributes = new Map<string, Attribute>();
  for (const [name, value] of node.attributes) {
    if (value.kind === "graph") {
      attributes.set(name, { ...value, value: raiseGraph(value.value, from, to, shapes, names) });
      changed = true;
    } else if (value.kind === "graphs") {
      attributes.set(name, { ...value, value: value.value.map((graph) => raiseGraph(graph, from, to, shapes, names)) });
      changed = true;
    } else attributes.set(name, value);
  }
  return changed ? { ...node, attributes } : node;
}

function collectNames(graph: Graph, names: Set<string>): void {
  for (const input of graph.inputs) names.add(input.name);
  for (const name of graph.initializers.keys()) names.add(name);
  for (const node of graph.nodes) {
    for (const output of node.outputs) names.add(output);
    for (const value of node.attributes.values()) {
      if (value.kind === "graph") collectNames(value.value, names);
      else if (value.kind === "graphs") for (const inner of value.value) collectNames(inner, names);
    }
  }
}

/** The node with attributes taken away, others set, and inputs replaced. */
function change(
  node: Node,
  remove: readonly string[],
  set: Readonly<Record<string, AttributeInit>> = {},
  more: Partial<Node> = {},
): Node {
  const attributes = new Map([...node.attributes].filter(([name]) => !remove.includes(name)));
  for (const [name, init] of Object.entries(set)) attributes.set(name, attribute(init));
  return { ...node, ...more, attributes };
}

/** Trailing omitted inputs cut off. */
function inputs(...names: readonly string[]): string[] {
  let end = names.length;
  while (end > 0 && names[end - 1] === "") end--;
  return names.slice(0, end);
}

const refuse = (node: Node, why: string): never => {
  throw new LowbitError("model/opset", `${node.op}: ${why}`, {
    at: { node: node.name || node.outputs[0], op: node.op },
    hint: "export the model again with a newer opset",
  });
};

/** An ints attribute becomes input 1. */
const intsToInput =
  (name: string): Rule =>
  ({ node, constant }) => {
    const values = intsAttribute(node, name);
    return values === undefined
      ? node
      : change(
          node,
          [name],
          {},
          { inputs: [node.inputs[0], constant(int64([values.length], values), `${node.outputs[0]}_${name}`)] },
        );
  };

/** Softmax before 13 sees a matrix: dims before `axis` × dims from `axis` on. */
const softmax: Rule = ({ node, rank, fresh, emit }) => {
  const axis = intAttribute(node, "axis", 1);
  const known = rank(node.inputs[0]);
  if (known !== undefined && (axis < 0 ? axis + known : axis) === known - 1) return change(node, [], { axis: -1 });
  const flat = fresh(`${node.outputs[0]}_flat`);
  const soft = fresh(`${node.outputs[0]}_soft`);
  const shape = fresh(`${node.outputs[0]}_shape`);
  emit(createNode("Shape", [node.inputs[0]], [shape]));
  emit(createNode("Flatten", [node.inputs[0]], [flat], { axis }));
  emit(change(node, [], { axis: -1 }, { inputs: [flat], outputs: [soft] }));
  return createNode("Reshape", [soft, shape], [...node.outputs], {}, { name: node.name });
};

const upsampleToResize: Rule = ({ node }) =>
  change({ ...node, op: "Resize" }, [], { mode: stringAttribute(node, "mode", "nearest") });

const resize11: Rule = ({ node, constant }) => {
  const mode = stringAttribute(node, "mode", "nearest");
  const roi = constant(float32([0], []), `${node.outputs[0]}_roi`);
  // Resize-10 and Upsample: x_in = x_out / scale, nearest takes the floor
  const set = {
    coordinate_transformation_mode: "asymmetric",
    ...(mode === "nearest" ? { nearest_mode: "floor" } : {}),
  };
  return change(node, [], set, { inputs: [node.inputs[0], roi, node.inputs[1]] });
};

const reduce18 = [
  "ReduceL1",
  "ReduceL2",
  "ReduceLogSum",
  "ReduceLogSumExp",
  "ReduceMax",
  "ReduceMean",
  "ReduceMin",
  "ReduceProd",
  "ReduceSumSquare",
];

const rules: ReadonlyMap<string, readonly (readonly [version: number, rule: Rule])[]> = new Map<
  string,
  (readonly [number, Rule])[]
>([
  [
    "BatchNormalization",
    [
      [
        9,
        ({ node }) =>
          intAttribute(node, "spatial", 1) === 1
            ? change(node, ["spatial"])
            : refuse(node, "spatial = 0 has no form after opset 8"),
      ],
    ],
  ],
  [
    "Upsample",
    [
      [
        9,
        ({ node, constant }) => {
          const scales = node.attributes.get("scales");
          if (scales?.kind !== "floats") return node;
          return change(
            node,
            ["scales"],
            {},
            {
              inputs: [
                node.inputs[0],
                constant(float32([scales.value.length], scales.value), `${node.outputs[0]}_scales`),
              ],
            },
          );
        },
      ],
      [10, upsampleToResize],
      [11, resize11],
    ],
  ],
  ["Resize", [[11, resize11]]],
  [
    "Slice",
    [
      [
        10,
        ({ node, constant }) => {
          const list = (name: string): string => {
            const values = node.attributes.get(name);
            return values?.kind === "ints"
              ? constant(int64([values.value.length], values.value), `${node.outputs[0]}_${name}`)
              : "";
          };
          return change(
            node,
            ["starts", "ends", "axes"],
            {},
            { inputs: inputs(node.inputs[0], list("starts"), list("ends"), list("axes")) },
          );
        },
      ],
    ],
  ],
  [
    "TopK",
    [
      [
        10,
        ({ node, constant }) =>
          change(
            node,
            ["k"],
            {},
            { inputs: [node.inputs[0], constant(int64([1], [intAttribute(node, "k", 1)]), `${node.outputs[0]}_k`)] },
          ),
      ],
    ],
  ],
  [
    "Clip",
    [
      [
        11,
        ({ node, constant }) => {
          const bound = (name: string): string =>
            node.attributes.has(name)
              ? constant(float32([], [floatAttribute(node, name, 0)]), `${node.outputs[0]}_${name}`)
              : "";
          return change(node, ["min", "max"], {}, { inputs: inputs(node.inputs[0], bound("min"), bound("max")) });
        },
      ],
    ],
  ],
  [
    "Pad",
    [
      [
        11,
        ({ node, constant }) => {
          const pads = intsAttribute(node, "pads") ?? [];
          const value = floatAttribute(node, "value", 0);
          const amounts = constant(int64([pads.length], pads), `${node.outputs[0]}_pads`);
          return change(
            node,
            ["pads", "value"],
            {},
            {
              inputs: inputs(
                node.inputs[0],
                amounts,
                value === 0 ? "" : constant(float32([], [value]), `${node.outputs[0]}_value`),
              ),
            },
          );
        },
      ],
    ],
  ],
  ["Scatter", [[11, ({ node }) => ({ ...node, op: "ScatterElements" })]]],
  ["Dropout", [[12, ({ node }) => change(node, ["ratio", "seed"])]]],
  ["Softmax", [[13, softmax]]],
  ["LogSoftmax", [[13, softmax]]],
  ["Hardmax", [[13, softmax]]],
  ["Squeeze", [[13, intsToInput("axes")]]],
  ["Unsqueeze", [[13, intsToInput("axes")]]],
  ["ReduceSum", [[13, intsToInput("axes")]]],
  [
    "Split",
    [
      [13, intsToInput("split")],
      [18, ({ node }) => (node.inputs.length > 1 ? node : change(node, [], { num_outputs: node.outputs.length }))],
    ],
  ],
  ["RoiAlign", [[16, ({ node }) => change(node, [], { coordinate_transformation_mode: "output_half_pixel" })]]],
  ...reduce18.map((op): [string, (readonly [number, Rule])[]] => [op, [[18, intsToInput("axes")]]]),
  [
    "GridSample",
    [
      [
        20,
        ({ node }) => {
          const mode = stringAttribute(node, "mode", "bilinear");
          return change(node, [], { mode: mode === "bilinear" ? "linear" : mode === "bicubic" ? "cubic" : mode });
        },
      ],
    ],
  ],
  [
    "DFT",
    [
      [
        20,
        ({ node, constant }) => {
          const axis = constant(int64([], [intAttribute(node, "axis", 1)]), `${node.outputs[0]}_axis`);
          return change(node, ["axis"], {}, { inputs: [node.inputs[0], node.inputs[1] ?? "", axis] });
        },
      ],
    ],
  ],
  ["GroupNormalization", [[21, ({ node }) => refuse(node, "scale and bias per group became per channel in opset 21")]]],
  ["Scan", [[9, ({ node }) => refuse(node, "the batch axis of opset 8 has no form after it")]]],
]);
