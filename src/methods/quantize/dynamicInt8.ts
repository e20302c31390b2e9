/**
 * Writes matrix products on dynamic int8: DynamicQuantizeLinear → MatMulInteger → Cast → Mul (→ Add), which ONNX Runtime fuses into
 * DynamicQuantizeMatMul, or MatMulIntegerToFloat where several layers read one activation. Each activation is quantized once.
 */
import type { MatrixLayer } from "#methods/plan/matrixLayer";
import type { Weight } from "#methods/plan/weights";
import { matrixShift } from "#methods/quantize/correctBias";
import { decodedValue } from "#methods/quantize/decodeAtLoad";
import type { SharedConstants } from "#methods/quantize/parameters";
import { quantizeWeight, readFloats } from "#methods/quantize/weights";
import { createNode } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import { elementTypes, float32, toNumbers } from "#model/tensor";
import { readWeight, weight as storedWeight } from "#model/weights";
import { decodeAffine } from "#quant/affine";
import type { Scheme } from "#quant/scheme";

export interface DynamicInt8Options {
  readonly constants: SharedConstants;
  readonly channelMeans: ReadonlyMap<string, ArrayLike<number>>;
  readonly opset: number;
  /** Weights use one bit less: the host's kernels saturate pair sums. */
  readonly reduced: boolean;
}

/** What DynamicQuantizeLinear gave for a value. */
type Codes = readonly [codes: string, scale: string, zero: string];

/** Writes products of one model, which share what their activations are quantized to. */
export class DynamicInt8Writer {
  readonly #draft: GraphDraft;
  readonly #options: DynamicInt8Options;
  readonly #codes = new Map<string, Codes>();

  constructor(draft: GraphDraft, options: DynamicInt8Options) {
    this.#draft = draft;
    this.#options = options;
  }

  /** Replaces a weight: for these layers by its codes, for all else that reads it by what the same codes stand for. */
  async write(weight: Weight, layers: readonly MatrixLayer[], scheme: Scheme): Promise<void> {
    const { ref } = weight;
    const { constants, reduced } = this.#options;
    const draft = this.#draft;
    const quantized = await quantizeWeight(ref, scheme, weight, { reduced });
    const { decoding } = quantized;
    const codes = draft.addInitializer(quantized.codes(`${ref.name}_q`));
    const dims = decoding.granularity.per === "tensor" ? [] : [decoding.scale.length];
    const scale = constants.scale(decoding.scale, dims, ref.name);
    const zero =
      decoding.zeroPoint === null ? "" : constants.zeroPoint(decoding.zeroPoint, scheme.dtype, dims, ref.name);
    const transposed = layers.some(({ layout }) => layout.transposed)
      ? draft.freshName(`${ref.name}_q_transposed`)
      : "";
    // a Transpose of constants: done once, when a model is loaded
    if (transposed !== "") draft.add(createNode("Transpose", [codes], [transposed], { perm: [1, 0] }, { name: "" }));
    for (const layer of layers) {
      // a bias of its own would cost more than it corrects
      const means = layer.bias === undefined ? undefined : this.#options.channelMeans.get(layer.x);
      const shift =
        means &&
        matrixShift(
          layer.layout,
          await readFloats(ref),
          decodeAffine(await quantized.load(), quantized.shape, decoding),
          means,
        );
      await this.#product(layer, [layer.layout.transposed ? transposed : codes, scale, zero], shift);
    }
    if (draft.consumers(ref.name).length > 0)
      draft.replaceUses(ref.name, decodedValue(draft, weight, quantized, scheme, this.#options, codes));
  }

  async #product(layer: MatrixLayer, [codes, scale, zero]: Codes, shift: Float64Array | undefined): Promise<void> {
    const draft = this.#draft;
    const node = draft.current(layer.node) ?? layer.node;
    const [y] = node.outputs;
    const [xCodes, xScale, xZero] = this.#quantized(node.inputs[0]);
    const [sums, floats, factor] = ["sums", "floats", "factor"].map((name) => draft.freshName(`${y}_${name}`));
    const bias = await this.#bias(layer, shift);
    const product = bias === undefined ? y : draft.freshName(`${y}_product`);
    const inputs = [xCodes, codes, xZero, ...(zero === "" ? [] : [zero])];
    draft.update(node, createNode("MatMulInteger", inputs, [sums], {}, { name: node.name }));
    draft.add(
      createNode("Cast", [sums], [floats], { to: elementTypes.float32.code }, { name: "" }),
      createNode("Mul", [xScale, scale], [factor], {}, { name: "" }),
      createNode("Mul", [floats, factor], [product], {}, { name: "" }),
    );
    if (bias !== undefined) draft.add(createNode("Add", [product, bias], [y], {}, { name: "" }));
  }

  /** The layer's bias, less the shift of its means where that is known. */
  async #bias({ bias, layout }: MatrixLayer, shift: Float64Array | undefined): Promise<string | undefined> {
    const ref = bias === undefined ? undefined : this.#draft.initializer(bias);
    if (ref === undefined || shift === undefined) return bias;
    const stored = toNumbers(await readWeight(ref));
    const corrected = Float32Array.from(shift, (s, i) => stored[i] - s);
    return this.#draft.addInitializer(storedWeight(`${bias}_corrected`, float32([layout.n], corrected)));
  }

  #quantized(x: string): Codes {
    let codes = this.#codes.get(x);
    if (codes === undefined) {
      const draft = this.#draft;
      codes = [draft.freshName(`${x}_q`), draft.freshName(`${x}_scale`), draft.freshName(`${x}_zero_point`)];
      draft.add(createNode("DynamicQuantizeLinear", [x], codes, {}, { name: "" }));
      this.#codes.set(x, codes);
    }
    return codes;
  }
}
