/**
 * Writes weights of any scheme: codes and what they stand for as initializers, behind a call of a function of standard operators that
 * decodes them. All of it is constant, so every runtime evaluates it once, when the model is loaded.
 */
import { withPlace } from "#base/errors";
import { createRng, seedFor } from "#base/rng";
import { type Decoder, decoderOf } from "#methods/decoders/decoder";
import { DecoderFunctions } from "#methods/decoders/decoderFunctions";
import { fromMatrix, isTurned, matrixView, type MatrixView, toMatrix } from "#methods/plan/matrixView";
import type { Weight } from "#methods/plan/weights";
import { meanShift } from "#methods/quantize/correctBias";
import { correctBiases } from "#methods/quantize/correctBiases";
import type { SharedConstants } from "#methods/quantize/parameters";
import { readFloats } from "#methods/quantize/weights";
import { createNode } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { FunctionDef, TensorRef } from "#model/model";
import { int64 } from "#model/tensor";
import { lazyWeight, weight as storedWeight, weightBytes } from "#model/weights";
import { dequantize } from "#quant/dequantize";
import type { QTensor } from "#quant/qtensor";
import { quantizeMatrix, type TensorScheme } from "#quant/quantizers/index";

export interface FunctionWeightsOptions {
  readonly constants: SharedConstants;
  readonly channelMeans: ReadonlyMap<string, ArrayLike<number>>;
  /** Operator set of the model, 13 or newer. */
  readonly opset: number;
  /** Functions that the model has. */
  readonly functions: readonly FunctionDef[];
  /** Of the run; each weight draws lots of its own. */
  readonly seed: number;
  /** Codes are kept, packed, up to so many bytes; those of later weights are made again when the model is written. Default 256 MB. */
  readonly heldBytes?: number;
}

/** Operands up to this size are compared with others, and written once where they are equal. */
const sharedBytes = 4096;

/** Writes weights of one model, whose decoders share their functions. */
export class FunctionWeightsWriter {
  readonly #draft: GraphDraft;
  readonly #options: FunctionWeightsOptions;
  readonly #functions: DecoderFunctions;
  readonly #heldBytes: number;
  #held = 0;
  /** The weight that was made again last: its operands are asked for one after another. */
  #again: { readonly weight: string; readonly decoder: Promise<Decoder> } | undefined;

  constructor(draft: GraphDraft, options: FunctionWeightsOptions) {
    this.#draft = draft;
    this.#options = options;
    this.#heldBytes = options.heldBytes ?? 256 * 2 ** 20;
    this.#functions = new DecoderFunctions(options.opset, options.functions);
  }

  /** What the written weights call. */
  get functions(): readonly FunctionDef[] {
    return this.#functions.functions;
  }

  /** Replaces a weight for all its readers, and takes the shift of their means off their biases. */
  async write(weight: Weight, scheme: TensorScheme): Promise<void> {
    const { ref, uses } = weight;
    const { opset, seed, channelMeans } = this.#options;
    const view = matrixView(weight);
    const { rows, columns } = view;
    const quantized = async (): Promise<QTensor> => {
      const values = toMatrix(await readFloats(ref), view);
      try {
        return quantizeMatrix({ values, rows, columns }, scheme, { rng: createRng(seedFor(seed, ref.name)) });
      } catch (error) {
        throw withPlace(error, { tensor: ref.name });
      }
    };
    const q = await quantized();
    const decoder = decoderOf(q, opset);
    const again = (): Promise<Decoder> => {
      if (this.#again?.weight !== ref.name)
        this.#again = { weight: ref.name, decoder: quantized().then((each) => decoderOf(each, opset)) };
      return this.#again.decoder;
    };
    const inputs = decoder.operands.map((_, i) => this.#operand(ref, decoder, i, again));
    const value = this.#inPlace(ref, view, this.#call(ref, decoder, scheme, inputs));
    await correctBiases(this.#draft, uses, channelMeans, async (node, means) =>
      meanShift(node, ref.dims, await readFloats(ref), fromMatrix(dequantize(q), view), means),
    );
    this.#draft.replaceUses(ref.name, value);
  }

  #call(ref: TensorRef, decoder: Decoder, scheme: TensorScheme, inputs: readonly string[]): string {
    const value = this.#draft.freshName(`${ref.name}_matrix`);
    this.#draft.add(this.#functions.call(decoder, scheme.text, inputs, value));
    return value;
  }

  /** The initializer of an operand. */
  #operand(ref: TensorRef, { operands }: Decoder, index: number, again: () => Promise<Decoder>): string {
    const { name, tensor } = operands[index];
    const stored = storedWeight(`${ref.name}_${name}`, tensor);
    const bytes = weightBytes(stored);
    if (bytes <= sharedBytes) return this.#options.constants.add(tensor, stored.name);
    this.#held += bytes;
    if (this.#held <= this.#heldBytes) return this.#draft.addInitializer(stored);
    return this.#draft.addInitializer(lazyWeight(stored, async () => (await again()).operands[index].tensor));
  }

  /** From the matrix to the tensor: no more than Reshape, Transpose, Reshape, each where it does something. */
  #inPlace({ name, dims }: TensorRef, view: MatrixView, matrix: string): string {
    let value = matrix;
    let shape = [view.rows, view.columns];
    const apply = (op: string, inputs: readonly string[], attributes = {}): void => {
      const next = this.#draft.freshName(`${name}_${op.toLowerCase()}`);
      this.#draft.add(createNode(op, [value, ...inputs], [next], attributes, { name: "" }));
      value = next;
    };
    const reshape = (to: readonly number[]): void => {
      if (to.join() === shape.join()) return;
      apply("Reshape", [this.#options.constants.add(int64([to.length], to), "lowbit_shape")]);
      shape = [...to];
    };
    if (isTurned(view)) {
      const [outer, length, channels, rest] = view.axes;
      const sizes = [outer, channels, length, rest];
      const order = [0, 2, 1, 3].filter((axis) => sizes[axis] > 1);
      const kept = [0, 1, 2, 3].filter((axis) => sizes[axis] > 1);
      reshape(kept.map((axis) => sizes[axis]));
      apply("Transpose", [], { perm: order.map((axis) => kept.indexOf(axis)) });
      shape = order.map((axis) => sizes[axis]);
    }
    reshape(dims);
    return value;
  }
}
