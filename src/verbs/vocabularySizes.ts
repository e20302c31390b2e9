import { intAttribute } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Model } from "#model/model";

/** Operators that pass ids on. */
const movers = new Set(["Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"]);

/** Operators that ask something of ids that any id may answer. */
const questions = new Set(["Equal", "Shape", "Size"]);

/**
 * For each input whose numbers are only looked up in constant tables (token ids, types of tokens): the rows of the smallest. Inputs that
 * anything else reads, such as masks, have no entry.
 */
export function vocabularySizes(model: Model): Record<string, number> {
  const draft = new GraphDraft(model.graph);
  const sizes = model.graph.inputs.map(({ name }): [string, number] => [name, rowsBehind(draft, name)]);
  return Object.fromEntries(sizes.filter(([, rows]) => Number.isFinite(rows) && rows >= 2));
}

/** Infinity where a value is looked up nowhere, 0 where it is more than an index. */
function rowsBehind(draft: GraphDraft, input: string): number {
  let rows = Number.POSITIVE_INFINITY;
  const names = new Set([input]);
  for (const name of names) {
    if (draft.isOutput(name)) return 0;
    for (const node of draft.consumers(name)) {
      const [table, index] = node.inputs;
      const dims = draft.initializer(table)?.dims;
      if (node.op === "Gather" && index === name && dims !== undefined) {
        const axis = intAttribute(node, "axis", 0);
        rows = Math.min(rows, dims.at(axis) ?? 0);
      } else if (movers.has(node.op) && table === name) names.add(node.outputs[0]);
      else if (!questions.has(node.op)) return 0;
    }
  }
  return rows;
}
