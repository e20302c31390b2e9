import type { Weight } from "#methods/plan/weights";
import type { SharedConstants } from "#methods/quantize/parameters";
import { quantizeWeight } from "#methods/quantize/weights";
import { createNode } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { Node } from "#model/model";
import { tensor } from "#model/tensor";
import { lazyWeight } from "#model/weights";
import type { Scheme } from "#quant/scheme";

/**
 * Rewrites an LSTM as com.microsoft's DynamicQuantizeLSTM: 8-bit W and R, x and each step's hidden state quantized as they come. Its
 * weights lie transposed, [directions, inputs, 4·hidden], with a scale for each gate's row of each direction.
 */
export async function writeDynamicLstm(
  draft: GraphDraft,
  original: Node,
  weights: readonly [w: Weight, r: Weight],
  scheme: Scheme,
  { constants, reduced }: { readonly constants: SharedConstants; readonly reduced: boolean },
): Promise<void> {
  const node = draft.current(original) ?? original;
  const stored: string[][] = [];
  for (const { ref } of weights) {
    const [directions, rows, inputs] = ref.dims;
    const matrix = { ...ref, dims: [directions * rows, inputs] };
    const { decoding, load } = await quantizeWeight(matrix, scheme, { channelAxis: 0 }, { reduced });
    const dims = [directions, inputs, rows];
    const element = scheme.dtype === "uint8" ? "uint8" : "int8";
    const codes = lazyWeight({ ...ref, name: `${ref.name}_q`, element, dims }, async () => {
      const all = await load();
      const data = new (element === "uint8" ? Uint8Array : Int8Array)(all.length);
      for (let i = 0, from = 0; i < all.length; i += rows * inputs)
        for (let r = 0; r < rows; r++) for (let k = 0; k < inputs; k++) data[i + k * rows + r] = all[from++];
      return tensor(element, dims, data);
    });
    const { scale, zeroPoint } = decoding;
    stored.push([
      draft.addInitializer(codes),
      constants.scale(scale, [directions, rows], ref.name),
      constants.zeroPoint(zeroPoint ?? new Int32Array(scale.length), element, [directions, rows], ref.name),
    ]);
  }
  const [[w, wScale, wZero], [r, rScale, rZero]] = stored;
  const [x, , , ...others] = node.inputs;
  const optional = Array.from({ length: 5 }, (_, i) => others[i] ?? "");
  const attributes = new Map([...node.attributes].filter(([name]) => name !== "layout"));
  draft.update(node, {
    ...createNode(
      "DynamicQuantizeLSTM",
      [x, w, r, ...optional, wScale, wZero, rScale, rZero],
      node.outputs,
      {},
      {
        domain: "com.microsoft",
        name: node.name,
      },
    ),
    attributes,
  });
}
