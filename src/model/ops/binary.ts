/** Functions of two elements with broadcasting, a formula a line. */
import { LowbitError } from "#base/errors";
import { floatAttribute, intAttribute, stringAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { broadcastDims } from "#model/ops/broadcast";
import { addDims, divideDims, multiplyDims, subtractDims } from "#model/ops/dims";
import { type Formula, zipContent, zipElements } from "#model/ops/elementwise";
import { inputOf, withContent } from "#model/ops/known";
import { countOf, operand, placeOf } from "#model/ops/operand";
import { withDims } from "#model/ops/strides";
import { sigmoid } from "#model/ops/recurrentActivations";
import type { Known, Op } from "#model/ops/types";

type Pair = Formula<"two">;

/**
 * An operator on two tensors that broadcast; the output has the first one's type. One operation per output element.
 * `onDims`: how it computes where the elements are those of a shape.
 */
function binary(name: string, formula: Pair | ((node: Node) => Pair), onDims?: (a: Dim, b: Dim) => Dim): Op {
  const formulaOf = typeof formula === "function" ? formula : () => formula;
  return {
    domain: "",
    name,
    infer: (context) => {
      const a = inputOf(context, 0);
      const b = legacyKnown(context.node, context.opset, a, inputOf(context, 1));
      const known = { element: a.element, shape: broadcastDims(a.shape, b.shape) };
      return [withContent(known, onDims && zipContent(a, b, onDims))];
    },
    cost: (_, __, [y]) => ({ macs: 0, flops: countOf(y) }),
    forward: (context) => {
      const { node, opset } = context;
      const [a, b] = [operand(context, 0), operand(context, 1)];
      const aligned = withDims(b, legacyDims(node, opset, a.dims, b.dims));
      return [zipElements(node, a, aligned, formulaOf(node))];
    },
  };
}

/**
 * Before operator set 7 the second operand only stretched if told to (`broadcast` = 1), and could stand at any `axis`
 * of the first: ones after it say the same today. → [3] at axis 1 of [2, 3, 4] is [3, 1]
 */
export function legacyDims<D extends Dim>(node: Node, opset: number, a: readonly D[], b: readonly D[]): readonly D[] {
  if (opset >= 7 || intAttribute(node, "broadcast", 0) === 0) return b;
  const axis = intAttribute(node, "axis", a.length - b.length);
  const after = a.length - b.length - (axis < 0 ? axis + a.length : axis);
  return [...b, ...Array.from({ length: Math.max(0, after) }, () => 1 as D)]; // 1 is a D: D is number, or any Dim
}

export function legacyKnown(node: Node, opset: number, a: Known, b: Known): Known {
  if (opset >= 7 || a.shape === undefined || b.shape === undefined) return b;
  return { ...b, shape: legacyDims(node, opset, a.shape, b.shape) };
}

/** Throws runtime/run for an integer division by zero: there is no answer to give. */
const divisor = <T extends number | bigint>(node: Node, b: T): T => {
  if (b !== (typeof b === "bigint" ? 0n : 0)) return b;
  throw new LowbitError("runtime/run", `${node.op} divides an integer by zero`, { at: placeOf(node) });
};

/** The remainder that has the divisor's sign, as Python's %. */
const floorMod = (a: number, b: number): number => (a % b !== 0 && a % b < 0 !== b < 0 ? (a % b) + b : a % b);
const floorModBig = (a: bigint, b: bigint): bigint => (a % b !== 0n && a % b < 0n !== b < 0n ? (a % b) + b : a % b);

function modFormula(node: Node): Pair {
  if (intAttribute(node, "fmod", 0) !== 0) {
    return {
      float: (a, b) => a % b,
      integer: (a, b) => a % divisor(node, b),
      bigint: (a, b) => a % divisor(node, b),
    };
  }
  return {
    float: floorMod,
    integer: (a, b) => floorMod(a, divisor(node, b)),
    bigint: (a, b) => floorModBig(a, divisor(node, b)),
  };
}

function shiftFormula(node: Node): Pair {
  // a shift by the width or more leaves nothing; JavaScript would take it modulo 32
  return stringAttribute(node, "direction", "LEFT") === "LEFT"
    ? { integer: (a, b) => (b > 31 ? 0 : a << b), bigint: (a, b) => (b > 63n ? 0n : a << b) }
    : { integer: (a, b) => (b > 31 ? 0 : a >>> b), bigint: (a, b) => (b > 63n ? 0n : a >> b) };
}

const logical = (holds: (a: number, b: number) => number): Pair => ({ integer: holds });

export const binaryOps: readonly Op[] = [
  binary("Add", { float: (a, b) => a + b, integer: (a, b) => a + b, bigint: (a, b) => a + b }, addDims),
  binary("Sub", { float: (a, b) => a - b, integer: (a, b) => a - b, bigint: (a, b) => a - b }, subtractDims),
  // imul: the low 32 bits of a product of 32-bit integers, which a double would round away
  binary("Mul", { float: (a, b) => a * b, integer: Math.imul, bigint: (a, b) => a * b }, multiplyDims),
  binary(
    "Div",
    (node) => ({
      float: (a, b) => a / b,
      integer: (a, b) => Math.trunc(a / divisor(node, b)),
      bigint: (a, b) => a / divisor(node, b),
    }),
    divideDims,
  ),
  binary("SwiGLU", (node) => {
    const alpha = floatAttribute(node, "alpha", 1);
    return { float: (a, b) => a * sigmoid(alpha * a) * b };
  }),
  binary("Mod", modFormula),
  binary("BitShift", shiftFormula),
  binary("BitwiseAnd", { integer: (a, b) => a & b, bigint: (a, b) => a & b }),
  binary("BitwiseOr", { integer: (a, b) => a | b, bigint: (a, b) => a | b }),
  binary("BitwiseXor", { integer: (a, b) => a ^ b, bigint: (a, b) => a ^ b }),
  binary(
    "And",
    logical((a, b) => a & b),
  ),
  binary(
    "Or",
    logical((a, b) => a | b),
  ),
  binary(
    "Xor",
    logical((a, b) => a ^ b),
  ),
];
