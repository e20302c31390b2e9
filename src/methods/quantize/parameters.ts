/** Scales and zero points as initializers: equal ones are written once. */
import type { GraphDraft } from "#model/edit";
import { fromNumbers, float32, type ElementType, type Tensor } from "#model/tensor";
import { weight } from "#model/weights";
import type { DTypeName } from "#quant/dtype";

export class SharedConstants {
  readonly #draft: GraphDraft;
  readonly #names = new Map<string, string>();

  constructor(draft: GraphDraft) {
    this.#draft = draft;
  }

  /** The name of an initializer with this value; a new one is called `hint` or similar. */
  add(value: Tensor, hint: string): string {
    const key = `${value.type}[${value.dims.join()}]${String(value.data)}`;
    let name = this.#names.get(key);
    if (name === undefined) {
      name = this.#draft.addInitializer(weight(hint, value));
      this.#names.set(key, name);
    }
    return name;
  }

  scale(values: Float32Array, dims: readonly number[], hint: string): string {
    return this.add(float32(dims, values), `${hint}_scale`);
  }

  zeroPoint(values: ArrayLike<number>, type: DTypeName, dims: readonly number[], hint: string): string {
    return this.add(fromNumbers(type as ElementType, dims, values), `${hint}_zero_point`);
  }
}
