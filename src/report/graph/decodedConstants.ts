/**
 * How far constant nodes only decode: from stored codes through Cast, Sub, Mul, Reshape to the numbers they stand for. What comes
 * after (a Slice for each layer, a Concat with another weight) uses the numbers.
 */
import { isConcrete } from "#model/ops/known";
import type { ShapeMap } from "#model/shapes";
import { sizeOf } from "#model/tensor";
import { type Constant, elementsOf, isCodes, sourceOf } from "#report/graph/constants";

interface Decoded {
  /** The last constant on the way that only decodes. */
  readonly end: Constant;
  /** Nodes from the stored tensor to `end`. */
  readonly steps: number;
}

/** For every constant with something stored behind it, where the decoding of its primary tensor ends on the way to it. */
export type DecodedConstants = ReadonlyMap<Constant, Decoded>;

/** Real decodings take up to eight nodes. */
const longest = 32;

const decoders = new Set([
  "DequantizeLinear",
  "Cast",
  "Sub",
  "Add",
  "Mul",
  "Div",
  "Reshape",
  "Transpose",
  "Squeeze",
  "Unsqueeze",
  "Flatten",
  "Identity",
  "Gather",
  "GatherElements",
  "BitShift",
  "BitwiseAnd",
  "BitwiseOr",
  "Mod",
  "Concat",
  "Slice",
]);

/** `all` of `findConstants`, in its order. */
export function decodedConstants(all: readonly Constant[], shapes: ShapeMap): DecodedConstants {
  const decoded = new Map<Constant, Decoded>();
  for (const constant of all) {
    if (constant.primary === undefined) continue;
    const source = sourceOf(constant);
    const before = source === undefined ? undefined : decoded.get(source);
    if (before === undefined) decoded.set(constant, { end: constant, steps: 0 });
    else if (before.end === source && before.steps < longest && decodes(constant, shapes))
      decoded.set(constant, { end: constant, steps: before.steps + 1 });
    else decoded.set(constant, before);
  }
  return decoded;
}

/** Whether a constant's node turns codes into numbers. None is lost but padding; packed ones become several. */
function decodes({ node, primary, value }: Constant, shapes: ShapeMap): boolean {
  if (node === undefined || primary === undefined) return false;
  // int32 is also what biases are stored in
  if (!isCodes(primary) && !(primary.ref?.element === "int32" && node.op === "DequantizeLinear")) return false;
  // nodes of other domains call functions that decode, or are DequantizeLinear's twin
  if (node.domain === "" && !decoders.has(node.op)) return false;
  const shape = shapes.get(value)?.shape;
  return !isConcrete(shape) || sizeOf(shape) > elementsOf(primary) / 2;
}

/** What several uses of one primary tensor have decoded in common. */
export function commonEnd(uses: readonly Constant[], decoded: DecodedConstants): Constant | undefined {
  const stepsOf = (constant: Constant): number => decoded.get(constant)?.steps ?? 0;
  const [first, ...others] = uses.map((constant) => decoded.get(constant)?.end ?? constant);
  return others.reduce<Constant | undefined>((common, other) => {
    let [a, b] = [common, other as Constant | undefined];
    while (a !== b && a !== undefined && b !== undefined) {
      if (stepsOf(a) >= stepsOf(b)) a = sourceOf(a);
      else b = sourceOf(b);
    }
    return a === b ? a : undefined;
  }, first);
}
