import type { Dim, Model } from "#model/model";

export interface ConcreteInputs {
  /** Shapes for `inferShapes`, every dim a number. */
  readonly inputShapes: Readonly<Record<string, readonly number[]>>;
  /** Inputs with a dim that nobody gave, as they are taken. → "image [1, 3, 224, 224]" */
  readonly assumed: readonly string[];
}

/**
 * A size for every dim of a model's inputs, so that work and memory can be counted: as given; else as the file says; else 1, and 224
 * for the height and width of an image.
 */
export function concreteInputs(model: Model, given: Readonly<Record<string, readonly number[]>> = {}): ConcreteInputs {
  const inputShapes: Record<string, readonly number[]> = {};
  const assumed: string[] = [];
  const symbols = new Map<string, number>();
  for (const { name, type } of model.graph.inputs) {
    const dims = type?.kind === "tensor" ? type.shape : undefined;
    for (const [axis, dim] of (dims ?? []).entries()) {
      const size = Object.hasOwn(given, name) ? given[name][axis] : undefined;
      if (typeof dim === "string" && size !== undefined) symbols.set(dim, size);
    }
  }
  for (const { name, type } of model.graph.inputs) {
    const dims = type?.kind === "tensor" ? type.shape : undefined;
    if (Object.hasOwn(given, name)) inputShapes[name] = given[name];
    else if (dims !== undefined) {
      const known = dims.map((dim) => (typeof dim === "string" ? (symbols.get(dim) ?? dim) : dim));
      const shape = known.map((dim, axis) => (isSize(dim) ? dim : usual(known, axis)));
      inputShapes[name] = shape;
      // one sample at a time is no assumption worth telling
      if (known.some((dim, axis) => axis > 0 && !isSize(dim))) assumed.push(`${name} [${shape.join(", ")}]`);
    }
  }
  return { inputShapes, assumed };
}

function isSize(dim: Dim): dim is number {
  return typeof dim === "number" && dim >= 0;
}

function usual(dims: readonly Dim[], axis: number): number {
  const planes = dims.length === 4 && (dims[1] === 1 || dims[1] === 3);
  const pixels = dims.length === 4 && (dims[3] === 1 || dims[3] === 3);
  return (planes && axis >= 2) || (pixels && (axis === 1 || axis === 2)) ? 224 : 1;
}
