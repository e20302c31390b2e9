/**
 * Rewrites a graph to compute in half precision: chosen nodes take and give float16, a Cast stands wherever a float32 value meets
 * them (once for each value and direction), and inputs and outputs of graphs, of subgraphs too, stay float32.
 */
import type { TypeOf } from "#methods/plan/valueTypes";
import { halfTensor } from "#methods/quantize/halfConstants";
import { createNode, subgraphs } from "#model/attributes";
import type { Attribute, Graph, Model, Node, TensorRef } from "#model/model";
import { elementTypes, float32, sizeOf, toNumbers } from "#model/tensor";
import { lazyWeight, readWeight, weight } from "#model/weights";
import { floatInputs } from "#targets/halfOperators";

export interface Float16Options {
  readonly typeOf: TypeOf;
  /** Whether a node computes in half precision. */
  readonly computesInHalf: (node: Node) => boolean;
}

/** The model with float16 in the chosen nodes and in every constant that only they read. */
export function writeFloat16(model: Model, options: Float16Options): Model {
  const names = new Set<string>();
  collectNames(model.graph, names);
  return { ...model, graph: new HalfGraph(model.graph, undefined, { ...options, names }).finish() };
}

/** Bigger constants are stored once, in half, and cast for the few nodes that want them in float32. */
const smallConstant = 1024;

type Form = "float32" | "float16";

interface Context extends Float16Options {
  /** Every name of the model, to make new ones. */
  readonly names: Set<string>;
}

class HalfGraph {
  readonly #graph: Graph;
  readonly #outer: HalfGraph | undefined;
  readonly #context: Context;
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, TensorRef>();
  /** Names of a float32 value's two forms, where they exist. */
  readonly #forms = new Map<string, Partial<Record<Form, string>>>();
  #range: readonly string[] | undefined;

  constructor(graph: Graph, outer: HalfGraph | undefined, context: Context) {
    this.#graph = graph;
    this.#outer = outer;
    this.#context = context;
    for (const { name } of graph.inputs) this.#define(name, "float32", name);
    const wanted = wantedForms(graph, context);
    const outputs = new Set(graph.outputs.map(({ name }) => name));
    for (const [name, ref] of graph.initializers) {
      const forms = wanted.get(name);
      const inFloat = forms?.has("float32") === true;
      const fixed = outputs.has(name) || graph.overridable?.has(name) === true;
      if (ref.element !== "float32" || forms?.has("float16") !== true || fixed) {
        this.#initializers.set(name, ref);
        this.#define(name, "float32", name);
      } else if (inFloat && sizeOf(ref.dims) <= smallConstant) {
        this.#initializers.set(name, ref);
        this.#define(name, "float32", name);
        const half = this.#fresh(`${name}_half`);
        this.#initializers.set(half, inHalf({ ...ref, name: half }));
        this.#define(name, "float16", half);
      } else {
        this.#initializers.set(name, inHalf(ref));
        this.#define(name, "float16", name);
      }
    }
  }

  finish(): Graph {
    const outputs = new Set(this.#graph.outputs.map(({ name }) => name));
    for (const node of this.#graph.nodes) this.#add(node, outputs);
    // an output that nothing here computes is captured from around
    const infos = this.#graph.outputs.map((info) => {
      const name = this.#isFloat(info.name) ? this.read(info.name, "float32") : info.name;
      return name === info.name ? info : { ...info, name };
    });
    return { ...this.#graph, nodes: this.#nodes, initializers: this.#initializers, outputs: infos, values: new Map() };
  }

  /** The name of a value in a form; a Cast is added where it has only the other. */
  read(name: string, form: Form): string {
    const forms = this.#forms.get(name);
    if (forms === undefined) return this.#outer?.read(name, form) ?? name;
    let found = forms[form];
    if (found === undefined) {
      const other = forms.float16 ?? forms.float32 ?? name;
      found = this.#fresh(`${name}_${form === "float16" ? "half" : "float"}`);
      this.#nodes.push(castNode(form === "float16" ? this.#clipped(name, other) : other, found, form));
      forms[form] = found;
    }
    return found;
  }

  #add(original: Node, outputs: ReadonlySet<string>): void {
    const half = this.#context.computesInHalf(original);
    const kept = half ? floatInputs(original) : [];
    const inputs = original.inputs.map((name, i) =>
      name !== "" && this.#isFloat(name) ? this.read(name, half && !kept.includes(i) ? "float16" : "float32") : name,
    );
    const casts: Node[] = [];
    const results = original.outputs.map((name) => {
      if (name === "" || !this.#isFloat(name)) return name;
      if (!half) this.#define(name, "float32", name);
      else if (!outputs.has(name)) this.#define(name, "float16", name);
      else {
        const source = this.#fresh(`${name}_half`);
        this.#define(name, "float16", source);
        this.#define(name, "float32", name);
        casts.push(castNode(source, name, "float32"));
        return source;
      }
      return name;
    });
    const inner = new Map(
      [...original.attributes].map(([name, attribute]): [string, Attribute] => [
        name,
        this.#attribute(attribute, half),
      ]),
    );
    const attributes = half && original.op === "Cast" ? retargeted(inner) : inner;
    this.#nodes.push({ ...original, inputs, outputs: results, attributes }, ...casts);
  }

  #attribute(attribute: Attribute, half: boolean): Attribute {
    const within = (graph: Graph): Graph => new HalfGraph(graph, this, this.#context).finish();
    if (attribute.kind === "graph") return { ...attribute, value: within(attribute.value) };
    if (attribute.kind === "graphs") return { ...attribute, value: attribute.value.map(within) };
    // Constant and ConstantOfShape
    if (half && attribute.kind === "tensor" && attribute.value.element === "float32")
      return { ...attribute, value: inHalf(attribute.value) };
    return attribute;
  }

  /** What was computed from float32 alone may be as large as it likes, a mask of −10⁹ say; it stays finite. Inputs are their owner's. */
  #clipped(name: string, value: string): string {
    const producer = this.#graph.nodes.find((node) => node.outputs.includes(name));
    if (producer === undefined || producer.inputs.some((input) => this.#forms.get(input)?.float16 !== undefined))
      return value;
    const clipped = this.#fresh(`${name}_clipped`);
    this.#nodes.push(createNode("Clip", [value, ...this.#bounds()], [clipped], {}, { name: "" }));
    return clipped;
  }

  /** Names of the least and the greatest half, constants of the main graph. */
  #bounds(): readonly string[] {
    if (this.#outer !== undefined) return this.#outer.#bounds();
    this.#range ??= [-65_504, 65_504].map((bound) => {
      const name = this.#fresh(`lowbit_half_${bound < 0 ? "least" : "greatest"}`);
      this.#initializers.set(name, weight(name, float32([], [bound])));
      return name;
    });
    return this.#range;
  }

  #isFloat(name: string): boolean {
    return this.#context.typeOf(name) === "float32";
  }

  #define(name: string, form: Form, as: string): void {
    const forms = this.#forms.get(name);
    if (forms === undefined) this.#forms.set(name, { [form]: as });
    else forms[form] = as;
  }

  #fresh(base: string): string {
    const { names } = this.#context;
    let name = base;
    for (let i = 1; names.has(name); i++) name = `${base}_${i}`;
    names.add(name);
    return name;
  }
}

/** In which forms the nodes of a graph, down to its subgraphs, want its values. */
function wantedForms(graph: Graph, context: Context): ReadonlyMap<string, ReadonlySet<Form>> {
  const wanted = new Map<string, Set<Form>>();
  const visit = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      const half = context.computesInHalf(node);
      const kept = half ? floatInputs(node) : [];
      node.inputs.forEach((name, i) => {
        const forms = wanted.get(name) ?? new Set<Form>();
        wanted.set(name, forms.add(half && !kept.includes(i) ? "float16" : "float32"));
      });
      for (const inner of subgraphs(node)) {
        visit(inner.nodes);
        for (const { name } of inner.outputs) wanted.set(name, (wanted.get(name) ?? new Set<Form>()).add("float32"));
      }
    }
  };
  visit(graph.nodes);
  return wanted;
}

function inHalf(ref: TensorRef): TensorRef {
  return lazyWeight({ ...ref, element: "float16" }, async () => halfTensor(ref.dims, toNumbers(await readWeight(ref))));
}

function castNode(from: string, to: string, form: Form): Node {
  return createNode("Cast", [from], [to], { to: elementTypes[form].code }, { name: "" });
}

/** A Cast to float32 gives float16 instead. */
function retargeted(attributes: ReadonlyMap<string, Attribute>): ReadonlyMap<string, Attribute> {
  const to = attributes.get("to");
  if (to?.kind !== "int" || Number(to.value) !== elementTypes.float32.code) return attributes;
  return new Map(attributes).set("to", { ...to, value: elementTypes.float16.code });
}

function collectNames(graph: Graph, names: Set<string>): void {
  for (const { name } of [...graph.inputs, ...graph.outputs]) names.add(name);
  for (const name of graph.initializers.keys()) names.add(name);
  for (const node of graph.nodes) {
    for (const name of [...node.inputs, ...node.outputs]) names.add(name);
    for (const inner of subgraphs(node)) collectNames(inner, names);
  }
}
