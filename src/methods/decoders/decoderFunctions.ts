import type { Decoder } from "#methods/decoders/decoder";
import { createNode } from "#model/attributes";
import { decoderDomain } from "#model/decoderCall";
import type { FunctionDef, Node } from "#model/model";

const none: ReadonlyMap<never, never> = new Map<never, never>();

/** The functions that decode the weights of one model, each written once. */
export class DecoderFunctions {
  readonly #opset: number;
  readonly #byKey = new Map<string, FunctionDef>();
  readonly #names: Set<string>;

  /** `existing`: functions that the model has already, whose names are taken. */
  constructor(opset: number, existing: readonly FunctionDef[] = []) {
    this.#opset = opset;
    this.#names = new Set(existing.filter(({ domain }) => domain === decoderDomain).map(({ name }) => name));
  }

  /** The functions that calls were made of. */
  get functions(): FunctionDef[] {
    return [...this.#byKey.values()];
  }

  /**
   * A call: `inputs` name what the decoder's operands became, in order. Its attributes say what it is to those who read the file and
   * nothing to a runtime: `scheme`, as it was asked for, and `bits`, the width of the codes in each input that holds some.
   */
  call(decoder: Decoder, scheme: string, inputs: readonly string[], output: string): Node {
    const { name } = this.#function(decoder);
    const said = { scheme, bits: decoder.bits };
    return createNode(name, inputs, [output], said, { domain: decoderDomain, name: "" });
  }

  #function({ key, name, about, nodes, output, operands }: Decoder): FunctionDef {
    let found = this.#byKey.get(key);
    if (found === undefined) {
      found = {
        name: this.#freshName(name),
        domain: decoderDomain,
        overload: "",
        inputs: operands.map((operand) => operand.name),
        outputs: [output],
        attributes: ["scheme", "bits"],
        defaults: none,
        nodes,
        opsets: new Map([["", this.#opset]]),
        values: none,
        doc: about,
        metadata: none,
      };
      this.#byKey.set(key, found);
    }
    return found;
  }

  #freshName(base: string): string {
    let name = base;
    for (let i = 2; this.#names.has(name); i++) name = `${base}_${i}`;
    this.#names.add(name);
    return name;
  }
}
