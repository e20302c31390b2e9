import type { GraphDraft } from "#model/edit";
import type { Node } from "#model/model";
import { float32, toNumbers } from "#model/tensor";
import { readWeight, weight } from "#model/weights";

/** Adds one number a channel to the bias of a Conv or Gemm, which gets one where it has none. A bias that the graph computes stays. */
export async function addToBias(draft: GraphDraft, original: Node, numbers: ArrayLike<number>): Promise<void> {
  const node = draft.current(original);
  if (node === undefined) return;
  const [x, w, b] = node.inputs;
  const ref = b === undefined || b === "" ? undefined : draft.initializer(b);
  if (b && (ref === undefined || draft.isInput(b) || ref.element !== "float32")) return;
  const bias = ref === undefined ? undefined : toNumbers(await readWeight(ref));
  if (bias !== undefined && bias.length !== numbers.length) return;
  const sum = Float32Array.from(numbers, (number, c) => (bias?.[c] ?? 0) + number);
  const added = draft.addInitializer(weight(`${b || w}_corrected`, float32([sum.length], sum)));
  draft.update(node, { inputs: [x, w, added] });
}
