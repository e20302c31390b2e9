/**
 * Writes weights in blocks that kernels decode while they compute: MatMulNBits for matrix products, GatherBlockQuantized for
 * tables. Both read one layout, so an embedding that is also the last layer stays one tensor.
 */
import type { MatrixLayer } from "#methods/plan/matrixLayer";
import type { Weight } from "#methods/plan/weights";
import { matrixShift } from "#methods/quantize/correctBias";
import type { SharedConstants } from "#methods/quantize/parameters";
import { readFloats } from "#methods/quantize/weights";
import { withPlace } from "#base/errors";
import { createNode } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { Node } from "#model/model";
import { float32, int64, tensor, toNumbers } from "#model/tensor";
import { lazyWeight, readWeight, weight as storedWeight } from "#model/weights";
import {
  type BlockCodes,
  type BlockScheme,
  dequantizeBlocks,
  type MatrixLayout,
  quantizeBlocks,
} from "#quant/quantizeBlocks";

/** int8 activations inside the kernel: without it 2- and 8-bit codes run 25 times slower than floats (stack.md P6). */
const accuracyLevel = 4;

const microsoft = { domain: "com.microsoft" } as const;

export interface WeightOnlyOptions {
  readonly constants: SharedConstants;
  readonly channelMeans: ReadonlyMap<string, ArrayLike<number>>;
}

/** Replaces a weight for the layers and for all Gathers that read it. */
export async function writeWeightOnly(
  draft: GraphDraft,
  weight: Weight,
  layers: readonly MatrixLayer[],
  scheme: BlockScheme,
  { constants, channelMeans }: WeightOnlyOptions,
): Promise<void> {
  const { ref, uses } = weight;
  const [rows, columns] = ref.dims;
  // tables are [entries, columns]: what a product calls [N, K]
  const layout: MatrixLayout = layers[0]?.layout ?? { k: columns, n: rows, transposed: true };
  const encode = async (): Promise<BlockCodes> => {
    try {
      return quantizeBlocks(await readFloats(ref), layout, scheme);
    } catch (error) {
      throw withPlace(error, { tensor: ref.name });
    }
  };
  const { k, n } = layout;
  const blocks = Math.ceil(k / scheme.size);
  const blockBytes = (scheme.size * scheme.bits) / 8;
  const first = await encode();
  const codesOf = (dims: readonly number[], pick: (codes: Uint8Array) => Uint8Array): string =>
    draft.addInitializer(
      lazyWeight({ ...ref, name: `${ref.name}_q`, element: "uint8", dims }, async () =>
        tensor("uint8", dims, pick((await encode()).codes)),
      ),
    );
  const scales = draft.addInitializer(storedWeight(`${ref.name}_scales`, float32([n, blocks], first.scales)));
  const { zeroPoints } = first;
  const zeros =
    zeroPoints === undefined
      ? ""
      : draft.addInitializer(
          storedWeight(`${ref.name}_zero_points`, tensor("uint8", [n, zeroPoints.length / n], zeroPoints)),
        );

  const gathers = uses.flatMap(({ node }) => (node.op === "Gather" ? [node] : []));
  const rowBytes = (k * scheme.bits) / 8;
  if (layers.length === 0) {
    const table = codesOf([n, rowBytes], (codes) => cutRows(codes, blocks * blockBytes, rowBytes));
    for (const node of gathers) gather(draft, node, [table, scales, zeros], scheme);
    return;
  }
  const codes = codesOf([n, blocks, blockBytes], (all) => all);
  for (const layer of layers) await product(draft, layer, [codes, scales, zeros], scheme, { channelMeans, first, ref });
  if (gathers.length === 0) return;
  let table = draft.freshName(`${ref.name}_table`);
  const ints = (...values: number[]): string => constants.add(int64([values.length], values), "lowbit_shape");
  draft.add(createNode("Reshape", [codes, ints(n, blocks * blockBytes)], [table], {}, { name: "" }));
  if (rowBytes < blocks * blockBytes) {
    const whole = table;
    table = draft.freshName(`${ref.name}_table`);
    draft.add(createNode("Slice", [whole, ints(0), ints(rowBytes), ints(1)], [table], {}, { name: "" }));
  }
  for (const node of gathers) gather(draft, node, [table, scales, zeros], scheme);
}

type Stored = readonly [codes: string, scales: string, zeros: string];

function gather(draft: GraphDraft, original: Node, [table, scales, zeros]: Stored, { bits, size }: BlockScheme): void {
  const node = draft.current(original) ?? original;
  const attributes = { bits, block_size: size, gather_axis: 0, quantize_axis: 1 };
  const inputs = trimmed([table, node.inputs[1], scales, zeros]);
  const next = createNode("GatherBlockQuantized", inputs, node.outputs, attributes, { ...microsoft, name: node.name });
  draft.update(node, next);
}

async function product(
  draft: GraphDraft,
  { node: original, x, layout, bias }: MatrixLayer,
  [codes, scales, zeros]: Stored,
  scheme: BlockScheme,
  {
    channelMeans,
    first,
    ref,
  }: { channelMeans: WeightOnlyOptions["channelMeans"]; first: BlockCodes; ref: Weight["ref"] },
): Promise<void> {
  const node = draft.current(original) ?? original;
  const { k, n } = layout;
  const means = channelMeans.get(x);
  const biasRef = bias === undefined ? undefined : draft.initializer(bias);
  let biasName = "";
  if (biasRef !== undefined || means !== undefined) {
    const stored = biasRef === undefined ? undefined : toNumbers(await readWeight(biasRef));
    const shift = means && matrixShift(layout, await readFloats(ref), dequantizeBlocks(first, layout, scheme), means);
    const sum = Float32Array.from({ length: n }, (_, i) => (stored?.[i] ?? 0) - (shift?.[i] ?? 0));
    biasName = draft.addInitializer(storedWeight(`${bias ?? ref.name}_bias`, float32([n], sum)));
  }
  const attributes = { K: k, N: n, bits: scheme.bits, block_size: scheme.size, accuracy_level: accuracyLevel };
  const inputs = trimmed([node.inputs[0], codes, scales, zeros, "", biasName]);
  draft.update(node, createNode("MatMulNBits", inputs, node.outputs, attributes, { ...microsoft, name: node.name }));
}

/** Inputs without the omitted ones at the end. */
function trimmed(inputs: readonly string[]): string[] {
  let length = inputs.length;
  while (inputs[length - 1] === "") length--;
  return inputs.slice(0, length);
}

/** Rows of a packed matrix without their padding. */
function cutRows(codes: Uint8Array, stride: number, length: number): Uint8Array {
  if (stride === length) return codes;
  const rows = codes.length / stride;
  const out = new Uint8Array(rows * length);
  for (let r = 0; r < rows; r++) out.set(codes.subarray(r * stride, r * stride + length), r * length);
  return out;
}
