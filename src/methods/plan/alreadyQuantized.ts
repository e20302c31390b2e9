import { type Diagnostic, LowbitError } from "#base/errors";
import { subgraphs } from "#model/attributes";
import { decoderCall } from "#model/decoderCall";
import type { Graph, Model, Node } from "#model/model";
import { isQuantizing } from "#model/quantizing";
import { minifloats, sizeOf } from "#model/tensor";

/** What of a model is no float32 any more: said once, before anything is planned. */
export interface AlreadyQuantized {
  /** Nodes that turn numbers into codes and back or compute on codes, by operator. */
  readonly operators: ReadonlyMap<string, number>;
  /** Weights in half precision or less, in elements. */
  readonly smallFloats: number;
}

/** Looks at all nodes and constants, down to subgraphs. */
export function alreadyQuantized(model: Model): AlreadyQuantized {
  const operators = new Map<string, number>();
  let smallFloats = 0;
  const visit = (graph: Graph): void => {
    for (const { element, dims } of graph.initializers.values())
      if (minifloats[element] !== undefined && dims.length >= 2) smallFloats += sizeOf(dims);
    for (const node of graph.nodes) {
      if (isQuantizing(node) || computesOnPacked(node) || decoderCall(node, model.functions) !== undefined)
        operators.set(node.op, (operators.get(node.op) ?? 0) + 1);
      for (const inner of subgraphs(node)) visit(inner);
    }
  };
  visit(model.graph);
  return { operators, smallFloats };
}

/** com.microsoft's kernels for codes whose names do not say so. */
function computesOnPacked({ op, domain }: Node): boolean {
  return domain === "com.microsoft" && (op === "MatMulBnb4" || op === "QAttention" || op === "QMoE" || op === "QGemm");
}

/** A warning for a model that is partly quantized: only what is float is quantized now. */
export function quantizedBefore({ operators, smallFloats }: AlreadyQuantized): Diagnostic[] {
  if (operators.size === 0 && smallFloats === 0) return [];
  const what = [...operators].sort(([, a], [, b]) => b - a).map(([op, count]) => `${count} ${op}`);
  if (smallFloats > 0) what.push(`${smallFloats} weights in half precision or less`);
  return [
    {
      code: "plan/partly-quantized",
      level: "warning",
      message: `the model is quantized in part already (${listed(what)}); only its float32 weights are quantized now`,
      hint: "the result is best when made from the float32 model it came from",
    },
  ];
}

/** The error for a model that holds nothing more to quantize: plan/already-quantized where it once was, else nothing-to-quantize. */
export function nothingLeft(
  model: Model,
  { operators, smallFloats }: AlreadyQuantized,
  otherwise: string,
): LowbitError {
  const at = model.origin === undefined ? {} : { at: { file: model.origin.name } };
  if (operators.size === 0 && smallFloats === 0)
    return new LowbitError("plan/nothing-to-quantize", otherwise, {
      ...at,
      hint: "lowbit inspect shows what the model holds",
    });
  const what =
    operators.size > 0 ? `it computes with ${listed([...operators.keys()])}` : "its weights are in half precision";
  return new LowbitError(
    "plan/already-quantized",
    `this model is quantized already: ${what}, and no float32 weights are left`,
    {
      ...at,
      hint: "give the float32 model it was made from",
    },
  );
}

/**
 * The error for half precision around integer kernels: Casts between the nodes that runtimes fuse would take them apart. Blocks of
 * weights that a kernel decodes are no such nodes.
 */
export function halfAroundCodes(model: Model, { operators }: AlreadyQuantized): LowbitError | undefined {
  const integer = [...operators.keys()].filter((op) => !/NBits$|Bnb4$|^GatherBlock/.test(op));
  if (integer.length === 0) return undefined;
  const why = "half precision around them would take fused kernels apart";
  return new LowbitError("plan/already-quantized", `this model is quantized already, with ${listed(integer)}: ${why}`, {
    ...(model.origin === undefined ? {} : { at: { file: model.origin.name } }),
    hint: "give the float32 model it was made from",
  });
}

function listed(names: readonly string[]): string {
  return names.length <= 4 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
}
