/**
 * Changing a graph: take a draft, edit it, finish it into a new graph. The graph it was taken from stays as it is, and
 * every node and weight that the edit did not touch is shared.
 *
 *   const draft = new GraphDraft(model.graph);
 *   for (const node of draft.nodes()) if (node.op === "Identity") draft.bypass(node);
 *   return { ...model, graph: draft.finish() };
 *
 * Nodes are values here as everywhere: an edit replaces them. Every method also takes a node from before an edit and
 * finds what became of it.
 */
import { LowbitError } from "#base/errors";
import { subgraphs } from "#model/attributes";
import type { Attribute, Graph, Node, TensorRef, ValueInfo } from "#model/model";
import { capturesOf, definedNames, readsOf, sortNodes } from "#model/topology";

/** Chooses uses: the node that reads, and which of its inputs; −1 where a subgraph of the node captures the value. */
export type UseFilter = (node: Node, input: number) => boolean;

export class GraphDraft {
  readonly #graph: Graph;
  /** In file order; new nodes at the end. */
  readonly #nodes = new Map<number, Node>();
  /** Every version of a node has the same id. */
  readonly #ids = new WeakMap<Node, number>();
  readonly #producers = new Map<string, number>();
  readonly #consumers = new Map<string, Set<number>>();
  readonly #initializers: Map<string, TensorRef>;
  readonly #values: Map<string, ValueInfo>;
  readonly #names = new Set<string>();
  #outputs: readonly ValueInfo[];
  #nextId = 0;

  /** `scope`: names that must not be taken either, for a subgraph those of the graphs around it. */
  constructor(graph: Graph, scope: Iterable<string> = []) {
    this.#graph = graph;
    this.#initializers = new Map(graph.initializers);
    this.#values = new Map(graph.values);
    this.#outputs = graph.outputs;
    for (const name of scope) this.#names.add(name);
    collectNames(graph, this.#names);
    for (const node of graph.nodes) this.#insert(node, this.#nextId++);
  }

  /** The nodes of now. Safe to edit while iterating: the list was made when asked for. */
  nodes(): Node[] {
    return [...this.#nodes.values()];
  }

  /** The node as it is now; undefined if it was removed. */
  current(node: Node): Node | undefined {
    return this.#nodes.get(this.#ids.get(node) ?? -1);
  }

  /** Every name in use: the `scope` of a draft of one of this graph's subgraphs. */
  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** The node that computes a value; undefined for inputs, initializers and unknown names. */
  producer(value: string): Node | undefined {
    return this.#nodes.get(this.#producers.get(value) ?? -1);
  }

  /** The nodes that read a value, directly or from inside a subgraph they carry, in the order they stand. */
  consumers(value: string): Node[] {
    const ids = [...(this.#consumers.get(value) ?? [])].sort((a, b) => a - b);
    return ids.map((id) => this.#nodes.get(id) as Node); // an id is listed as long as its node is there
  }

  initializer(name: string): TensorRef | undefined {
    return this.#initializers.get(name);
  }

  /** All weights of now. */
  initializers(): ReadonlyMap<string, TensorRef> {
    return this.#initializers;
  }

  isInput(value: string): boolean {
    return this.#graph.inputs.some(({ name }) => name === value);
  }

  isOutput(value: string): boolean {
    return this.#outputs.some(({ name }) => name === value);
  }

  /** Whether anything needs the value: a node or the caller of the graph. */
  isUsed(value: string): boolean {
    return this.isOutput(value) || (this.#consumers.get(value)?.size ?? 0) > 0;
  }

  /**
   * A name that nothing in the graph or its subgraphs has, and that will not be given again. → "conv_1" if "conv" is
   * taken
   */
  freshName(base: string): string {
    let name = base;
    for (let i = 1; this.#names.has(name) || name === ""; i++) name = `${base}_${i}`;
    this.#names.add(name);
    return name;
  }

  /** Adds nodes. Where they stand does not matter: `finish` sorts. Throws model/duplicate for an output that exists. */
  add(...nodes: readonly Node[]): void {
    for (const node of nodes) {
      for (const name of node.outputs) {
        if (this.#producers.has(name) || this.#initializers.has(name) || this.isInput(name)) {
          throw new LowbitError("model/duplicate", `${name} would be computed twice`, {
            at: { tensor: name, node: node.name, op: node.op },
            hint: "take output names from freshName",
          });
        }
        this.#names.add(name);
      }
      this.#insert(node, this.#nextId++);
    }
  }

  /** Removes a node. Its readers are not told: replace their uses first. */
  remove(node: Node): void {
    const found = this.current(node);
    if (found === undefined) return;
    const id = this.#ids.get(found) as number; // current() found it by this id
    this.#unlink(found, id);
    this.#nodes.delete(id);
  }

  /** Changes parts of a node (inputs, attributes, op …) and returns the new one. It stands where the old one stood. */
  update(node: Node, changes: Partial<Node>): Node {
    const old = this.current(node);
    if (old === undefined) {
      throw new LowbitError("model/missing-tensor", `node ${node.name || node.outputs[0]} was removed from the graph`, {
        at: { node: node.name, op: node.op },
      });
    }
    const id = this.#ids.get(old) as number; // current() found it by this id
    const next = { ...old, ...changes };
    this.#unlink(old, id);
    this.#insert(next, id);
    return next;
  }

  /** Adds a weight and returns its name: the given one, or a fresh one where that is taken. */
  addInitializer(ref: TensorRef): string {
    const name = this.freshName(ref.name);
    this.#initializers.set(name, name === ref.name ? ref : { ...ref, name });
    return name;
  }

  /** Puts another weight in the place of one of the same name. */
  setInitializer(ref: TensorRef): void {
    this.#initializers.set(ref.name, ref);
    this.#names.add(ref.name);
  }

  removeInitializer(name: string): void {
    this.#initializers.delete(name);
  }

  /**
   * Makes readers of `from` read `to` instead, also inside subgraphs. Outputs of the graph keep their names and are not
   * uses: see `rename` and `bypass`.
   */
  replaceUses(from: string, to: string, filter: UseFilter = () => true): void {
    for (const node of this.consumers(from)) {
      const inputs = node.inputs.map((name, index) => (name === from && filter(node, index) ? to : name));
      const captured = subgraphs(node).some((graph) => capturesOf(graph).has(from)) && filter(node, -1);
      this.update(node, { inputs, ...(captured ? { attributes: renameCaptures(node, from, to) } : {}) });
    }
  }

  /**
   * Gives a value another name, wherever it is made and read; an output of the graph too. Throws model/duplicate where
   * the name is taken. Inputs of the graph cannot be renamed.
   */
  rename(from: string, to: string): void {
    if (this.#producers.has(to) || this.#initializers.has(to) || this.isInput(to))
      throw new LowbitError("model/duplicate", `${to} exists already`, { at: { tensor: to } });
    if (this.isInput(from))
      throw new LowbitError("model/duplicate", `${from} is an input: renaming it would break callers`);
    this.#names.add(to);
    const weight = this.#initializers.get(from);
    if (weight !== undefined) {
      this.#initializers.delete(from);
      this.#initializers.set(to, { ...weight, name: to });
    }
    const producer = this.producer(from);
    if (producer !== undefined) {
      const outputs = producer.outputs.map((name) => (name === from ? to : name));
      this.update(producer, { outputs });
    }
    this.#outputs = this.#outputs.map((info) => (info.name === from ? { ...info, name: to } : info));
    const info = this.#values.get(from);
    this.#values.delete(from);
    if (info !== undefined) this.#values.set(to, { ...info, name: to });
    this.replaceUses(from, to);
  }

  /**
   * Puts nodes between a value and its readers: `build(source, result)` returns nodes that compute `result` from
   * `source`, and the chosen readers read the result. Returns the result's name.
   *
   *   draft.insertAfter("conv1", (x, y) => [
   *     createNode("QuantizeLinear", [x, scale, zero], [q]), createNode("DequantizeLinear", [q, scale, zero], [y])]);
   *
   * An output of the graph keeps its name: with `outputs` the inserted nodes compute it, without (the default) it stays
   * as it was.
   */
  insertAfter(
    value: string,
    build: (source: string, result: string) => readonly Node[],
    options: { readonly uses?: UseFilter; readonly outputs?: boolean; readonly name?: string } = {},
  ): string {
    const { uses = () => true, outputs = false } = options;
    if (outputs && this.isOutput(value) && this.producer(value) !== undefined) {
      const source = this.freshName(`${value}_source`);
      const declared = this.#outputs;
      this.rename(value, source);
      this.#outputs = declared;
      this.replaceUses(source, value, uses);
      this.add(...build(source, value));
      return value;
    }
    const result = this.freshName(options.name ?? `${value}_1`);
    this.replaceUses(value, result, uses);
    this.add(...build(value, result));
    return result;
  }

  /**
   * Removes a node that hands its first input through (Identity, Dropout): its readers read that input. Returns false,
   * and leaves the node, where the graph's own interface needs it: an input or an output of the graph that is an output
   * again.
   */
  bypass(node: Node): boolean {
    const current = this.current(node);
    if (current === undefined) return true;
    const [from] = current.inputs;
    const [to, ...others] = current.outputs;
    if (from === undefined || from === "" || others.some((name) => this.isUsed(name))) return false;
    if (!this.isOutput(to)) {
      this.remove(current);
      this.replaceUses(to, from);
      return true;
    }
    if (this.isOutput(from) || this.producer(from) === undefined) return false;
    this.remove(current);
    this.replaceUses(to, from);
    this.rename(from, to);
    return true;
  }

  /** Removes nodes that nothing needs, repeatedly. Returns how many. */
  removeUnused(): number {
    const open = this.nodes();
    let removed = 0;
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      const current = this.current(node);
      if (current === undefined || current.outputs.some((name) => name !== "" && this.isUsed(name))) continue;
      this.remove(current);
      removed++;
      for (const name of readsOf(current)) {
        const producer = this.producer(name);
        if (producer !== undefined) open.push(producer);
      }
    }
    return removed;
  }

  /**
   * The graph of now: nodes sorted (see `sortNodes`), initializers that nothing reads dropped, and what the file said
   * of values that no longer exist forgotten. Throws model/cycle.
   */
  finish(): Graph {
    const initializers = new Map([...this.#initializers].filter(([name]) => this.isUsed(name) || this.isInput(name)));
    const values = new Map([...this.#values].filter(([name]) => this.#producers.has(name) || initializers.has(name)));
    return { ...this.#graph, nodes: sortNodes(this.nodes()), initializers, values, outputs: this.#outputs };
  }

  #insert(node: Node, id: number): void {
    this.#nodes.set(id, node);
    this.#ids.set(node, id);
    for (const name of node.outputs) if (name !== "") this.#producers.set(name, id);
    for (const name of readsOf(node)) {
      const readers = this.#consumers.get(name);
      if (readers === undefined) this.#consumers.set(name, new Set([id]));
      else readers.add(id);
    }
  }

  #unlink(node: Node, id: number): void {
    for (const name of node.outputs) this.#producers.delete(name);
    for (const name of readsOf(node)) this.#consumers.get(name)?.delete(id);
  }
}

function collectNames(graph: Graph, names: Set<string>): void {
  for (const name of definedNames(graph)) names.add(name);
  for (const { name } of graph.outputs) names.add(name);
  for (const node of graph.nodes) {
    names.add(node.name);
    for (const name of node.inputs) names.add(name);
    for (const graph of subgraphs(node)) collectNames(graph, names);
  }
}

/** The node's attributes with `from` read as `to` in every subgraph that captures it. */
function renameCaptures(node: Node, from: string, to: string): ReadonlyMap<string, Attribute> {
  const within = (graph: Graph): Graph => {
    if (!capturesOf(graph).has(from)) return graph;
    return {
      ...graph,
      nodes: graph.nodes.map((inner) => ({
        ...inner,
        inputs: inner.inputs.map((name) => (name === from ? to : name)),
        attributes: renameCaptures(inner, from, to),
      })),
      outputs: graph.outputs.map((info) => (info.name === from ? { ...info, name: to } : info)),
    };
  };
  return new Map(
    [...node.attributes].map(([name, attribute]): [string, Attribute] => {
      if (attribute.kind === "graph") return [name, { ...attribute, value: within(attribute.value) }];
      if (attribute.kind === "graphs") return [name, { ...attribute, value: attribute.value.map(within) }];
      return [name, attribute];
    }),
  );
}
