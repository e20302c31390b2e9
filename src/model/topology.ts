/** Who reads what: inputs, captures of subgraphs, and the order that follows from them. */
import { LowbitError } from "#base/errors";
import { subgraphs } from "#model/attributes";
import type { Graph, Node } from "#model/model";

const captureCache = new WeakMap<Graph, ReadonlySet<string>>();

/** Names that a subgraph reads from the scope around it: used inside (at any depth) but defined outside. */
export function capturesOf(graph: Graph): ReadonlySet<string> {
  let captures = captureCache.get(graph);
  if (captures === undefined) {
    const defined = definedNames(graph);
    const read = [...graph.nodes.flatMap(readsOf), ...graph.outputs.map(({ name }) => name)];
    captures = new Set(read.filter((name) => !defined.has(name)));
    captureCache.set(graph, captures);
  }
  return captures;
}

/** Every value that a node needs: its inputs, and what its subgraphs capture. Each once, omitted inputs left out. */
export function readsOf(node: Node): string[] {
  const reads = new Set(node.inputs);
  for (const graph of subgraphs(node)) for (const name of capturesOf(graph)) reads.add(name);
  reads.delete("");
  return [...reads];
}

/** Names that a graph itself gives a value to: inputs, initializers, outputs of nodes. */
export function definedNames(graph: Graph): Set<string> {
  const names = new Set(graph.initializers.keys());
  for (const { name } of graph.inputs) names.add(name);
  for (const node of graph.nodes) for (const name of node.outputs) if (name !== "") names.add(name);
  return names;
}

/**
 * The nodes so that each comes after what it reads. Nodes already in order stay as they are; one that comes too late
 * moves right before its first reader. Throws model/cycle where there is no such order.
 */
export function sortNodes(nodes: readonly Node[]): Node[] {
  const producer = new Map<string, Node>();
  for (const node of nodes) for (const name of node.outputs) if (name !== "") producer.set(name, node);
  const sorted: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  // depth first with a stack of our own: a chain of 100,000 nodes must not exhaust the engine's
  for (const start of nodes) {
    const stack = [{ node: start, reads: undefined as string[] | undefined }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.reads === undefined) {
        if (state.has(top.node)) {
          stack.pop();
          continue;
        }
        state.set(top.node, "open");
        top.reads = readsOf(top.node).reverse();
      }
      const name = top.reads.pop();
      if (name === undefined) {
        state.set(top.node, "done");
        sorted.push(top.node);
        stack.pop();
        continue;
      }
      const before = producer.get(name);
      if (before === undefined || state.get(before) === "done") continue;
      if (state.get(before) === "open") {
        throw new LowbitError("model/cycle", `${before.op} reads ${name}, which depends on its own output`, {
          at: { node: before.name || before.outputs[0], op: before.op },
        });
      }
      stack.push({ node: before, reads: undefined });
    }
  }
  return sorted;
}
