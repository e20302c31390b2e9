import { LowbitError } from "#base/errors";
import { graphAttribute } from "#model/attributes";
import { contentOf, eitherOf, inputOf } from "#model/ops/known";
import { operand, placeOf } from "#model/ops/operand";
import { type Op, unknown } from "#model/ops/types";
import type { Graph, Node } from "#model/model";

/** Runs one of two graphs. Neither has inputs: they read the scope around them. */
export const If: Op = {
  domain: "",
  name: "If",
  infer: (context) => {
    const infer = (name: string) => context.inferGraph(branch(context.node, name), []);
    const condition = contentOf(inputOf(context, 0))?.[0];
    if (typeof condition === "number") return infer(condition === 0 ? "else_branch" : "then_branch");
    const [a, b] = [infer("then_branch"), infer("else_branch")];
    return context.node.outputs.map((_, i) => eitherOf(a[i] ?? unknown, b[i] ?? unknown));
  },
  forward: (context) => {
    const condition = operand(context, 0);
    return context.runGraph(branch(context.node, condition.data[0] ? "then_branch" : "else_branch"), []);
  },
};

function branch(node: Node, name: string): Graph {
  const graph = graphAttribute(node, name);
  if (graph !== undefined) return graph;
  throw new LowbitError("model/attribute", `If has no ${name}`, { at: placeOf(node) });
}
