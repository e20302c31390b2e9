import type { GraphDraft } from "#model/edit";
import type { Node } from "#model/model";
import { float32, toNumbers } from "#model/tensor";
import { readWeight, weight } from "#model/weights";

/**
 * Adds one number a channel to the bias of a layer: that of a Conv or Gemm, which gets one where it has none, or the constant of the
 * Add that is a MatMul's only reader. A bias that the graph computes stays, and a MatMul without Add gets none: it would cost time.
 */
export async function addToBias(draft: GraphDraft, original: Node, numbers: ArrayLike<number>): Promise<void> {
  const layer = draft.current(original);
  const node = layer?.op === "MatMul" ? addBehind(draft, layer) : layer;
  if (node === undefined) return;
  const index = node.op === "Add" ? node.inputs.findIndex((name) => isConstant(draft, name)) : 2;
  const name = node.inputs[index] ?? "";
  const ref = name === "" ? undefined : draft.initializer(name);
  if (name !== "" && (!isConstant(draft, name) || ref?.element !== "float32")) return;
  const bias = ref === undefined ? undefined : toNumbers(await readWeight(ref));
  const inRow = ref === undefined || ref.dims.at(-1) === numbers.length;
  if (!inRow || (bias !== undefined && bias.length !== numbers.length)) return;
  const sum = Float32Array.from(numbers, (number, c) => (bias?.[c] ?? 0) + number);
  const dims = ref?.dims ?? [sum.length];
  const added = draft.addInitializer(weight(`${name || node.inputs[1]}_corrected`, float32(dims, sum)));
  const inputs = node.inputs.slice(0, 3);
  inputs[index] = added;
  draft.update(node, { inputs });
}

function isConstant(draft: GraphDraft, name: string): boolean {
  return draft.initializer(name) !== undefined && !draft.isInput(name);
}

function addBehind(draft: GraphDraft, { outputs: [product] }: Node): Node | undefined {
  const readers = draft.isOutput(product) ? [] : draft.consumers(product);
  const [reader] = readers;
  if (readers.length !== 1 || reader.op !== "Add" || reader.domain !== "") return undefined;
  return reader.inputs.some((name) => isConstant(draft, name)) ? reader : undefined;
}
